import { parseOemStrings } from '../../kernel/smbios.ts';
import { hadConfig } from '../../maintenance/why-shut.ts';
import type { StateStore } from '../../sys/state-store.ts';
import { readBytes, type Sys } from '../../sys/sys.ts';
import { type ConfigDrive, findDrive } from '../drives/find-drive.ts';
import { readConfigUrl, type UrlSource } from './config-url.ts';
import type { FromMetadata, MetadataSource } from './metadata-source.ts';
import type { MetadataServiceName } from './services.ts';

/** Where a config came from; "api" is one that a client applied. */
export type ConfigSource =
  | 'fw_cfg'
  | 'smbios'
  | 'url'
  | ConfigDrive['kind']
  | MetadataServiceName
  | 'persisted'
  | 'api';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
/** The whole table, which the kernel shows without a module; one folder per entry would need dmi_sysfs. */
const SMBIOS_TABLE = '/sys/firmware/dmi/tables/DMI';
const SMBIOS_PREFIX = 'dev.plinth/machine-config=';
const FW_CFG_URL = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config-url/raw';
const SMBIOS_URL_PREFIX = 'dev.plinth/machine-config-url=';
export const PERSISTED = 'machine-config';
/** The transaction's own memory; with it a node has something to go by. */
const STATE = 'config/state.json';

/** The sources in the order in which they are asked, for people. */
export const configSources: readonly { readonly name: string; readonly what: string }[] = [
  { name: 'fw_cfg', what: 'QEMU firmware configuration: `opt/dev.plinth/machine-config`' },
  { name: 'smbios', what: 'SMBIOS OEM string (type 11): `dev.plinth/machine-config=` and base64' },
  {
    name: 'url',
    what: 'an `https` address with the authority that vouches for it: fw_cfg `opt/dev.plinth/machine-config-url`, or SMBIOS `dev.plinth/machine-config-url=` and base64',
  },
  {
    name: 'config drive',
    what: 'a volume `cidata` (NoCloud) or `config-2` (OpenStack), ISO 9660 or FAT; only before the first config',
  },
  { name: 'metadata service', what: 'user data of the cloud that the firmware names' },
  { name: 'persisted', what: 'the copy on `/var` of what was given before' },
];

/** What a source gave: text, words about why it gave none, or nothing. */
export interface ReadSource {
  readonly source: ConfigSource;
  readonly bytes?: Buffer | undefined;
  /** The files of a config drive. */
  readonly drive?: ConfigDrive;
  /** It may have one but does not tell now. */
  readonly unanswered?: string;
  /** Nobody answered: it is not known whether it has one. */
  readonly silent?: true;
  /** It has one that cannot be taken. */
  readonly unusable?: string;
}

/** Sources that are asked over the network, with what they remember of earlier rounds. */
export interface NetworkSources {
  readonly metadata?: MetadataSource | undefined;
  readonly url?: UrlSource | undefined;
}

/**
 * readSources gives what each source has, in the order of configSources, as far as its reader goes. A server that the machine's
 * definition names and that is silent lets nobody after it in but the copy of what was given before.
 */
export async function* readSources(
  sys: Sys,
  store: StateStore,
  { metadata, url }: NetworkSources,
): AsyncGenerator<ReadSource> {
  yield { source: 'fw_cfg', bytes: await readBytes(sys, FW_CFG) };
  yield { source: 'smbios', bytes: await readSmbios(sys, SMBIOS_PREFIX) };
  const fromUrl = await readUrl(sys, store, url);
  if (fromUrl) yield fromUrl;
  if (!fromUrl?.silent) {
    const drive = await readDrive(sys, store);
    if (drive) yield drive;
    const cloud = fromMetadata(await metadata?.read(await hasAnother(store)));
    if (cloud) yield cloud;
  }
  yield { source: 'persisted', bytes: await store.read(PERSISTED) };
}

/** An address that cannot be used is an error and not passed over; a server that is silent holds nobody up who has a config. */
async function readUrl(
  sys: Sys,
  store: StateStore,
  ask: UrlSource | undefined,
): Promise<ReadSource | undefined> {
  const given = (await readBytes(sys, FW_CFG_URL)) ?? (await readSmbios(sys, SMBIOS_URL_PREFIX));
  if (!given || !ask) return undefined;
  const source = 'url';
  const read = readConfigUrl(given);
  if (!read.ok) return { source, unusable: read.why };
  const asked = await ask(read.at, await hasAnother(store));
  if (asked.kind === 'given') return { source, bytes: asked.bytes };
  if (asked.kind === 'unusable') return { source, unusable: asked.why };
  const why = asked.kind === 'none' ? 'it has none' : asked.why;
  return { source, unanswered: `The server ${read.at.url.host} gives no config: ${why}`, silent: true };
}

/**
 * A drive counts once: before the node has its first config. Whoever plugs one in later changes nothing; and a node that
 * cannot know whether it had a config looks at none.
 */
async function readDrive(sys: Sys, store: StateStore): Promise<ReadSource | undefined> {
  if (store.volatileBecause !== undefined || (await hadConfig(store))) return undefined;
  const found = await findDrive(sys);
  if (found.kind === 'given') return { source: found.drive.kind, drive: found.drive };
  if (found.kind === 'unusable') return { source: found.source, unusable: found.why };
  return undefined;
}

/** Whether the node has a config to go by without its cloud. */
async function hasAnother(store: StateStore): Promise<boolean> {
  return (await store.read(PERSISTED)) !== undefined || (await store.read(STATE)) !== undefined;
}

function fromMetadata(given: FromMetadata | undefined): ReadSource | undefined {
  if (!given) return undefined;
  const { service, asked } = given;
  const source = service.name;
  const words = (state: string) => `The metadata service of ${service.title} gives no user data: ${state}`;
  switch (asked.kind) {
    case 'given':
      return { source, bytes: asked.bytes };
    case 'none':
      return { source, unanswered: words('the machine was made without any') };
    case 'unanswered':
      return { source, unanswered: words(asked.why), silent: true };
    case 'unusable':
      return { source, unusable: asked.why };
  }
}

async function readSmbios(sys: Sys, prefix: string): Promise<Buffer | undefined> {
  const table = await readBytes(sys, SMBIOS_TABLE);
  if (!table) return undefined;
  const entry = parseOemStrings(table).find((text) => text.startsWith(prefix));
  // Text that is not base64 decodes to something that is not a config; the parser then says so.
  return entry === undefined ? undefined : Buffer.from(entry.slice(prefix.length), 'base64');
}
