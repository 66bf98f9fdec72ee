import { type Diagnostic, type ErrorCode, type ParsedDocument, renderDiagnostic } from '@plinth/base';
import {
  type MachineConfig,
  readNoCloud,
  readOpenStackDrive,
  readUserData,
  type UserData,
} from '@plinth/config';
import { parseOemStrings } from '../kernel/smbios.ts';
import { hadConfig } from '../maintenance/why-shut.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readBytes, type Sys } from '../sys/sys.ts';
import { type ConfigDrive, findDrive } from './drives/find-drive.ts';
import { readConfigUrl, type UrlSource } from './sources/config-url.ts';
import type { FromMetadata, MetadataSource } from './sources/metadata-source.ts';
import type { MetadataServiceName } from './sources/services.ts';
import { hashOf } from './transaction/config-store.ts';

/** Where a config came from; "api" is one that a client applied. */
export type ConfigSource =
  | 'fw_cfg'
  | 'smbios'
  | 'url'
  | ConfigDrive['kind']
  | MetadataServiceName
  | 'persisted'
  | 'api';

/** What became of the search for a machine config. */
export type FoundConfig =
  | {
      readonly ok: true;
      readonly source: ConfigSource;
      readonly config: MachineConfig;
      /** The config as documents of ours. */
      readonly bytes: Buffer;
      /** Names what the source gave, where the documents were made from something else: the same again is no news. */
      readonly givenHash?: string;
      /** What a source before this one did not tell, for people. */
      readonly unanswered?: string;
      /** Who gave it, and why, where a client did. */
      readonly author?: string;
      readonly reason?: string;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      /** For people; one problem a line. */
      readonly problems: readonly string[];
      /** The cloud of the machine may have a config and has not answered. */
      readonly cloudSilent?: true;
    };

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
/** The whole table, which the kernel shows without a module; one folder per entry would need dmi_sysfs. */
const SMBIOS_TABLE = '/sys/firmware/dmi/tables/DMI';
const SMBIOS_PREFIX = 'dev.plinth/machine-config=';
const FW_CFG_URL = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config-url/raw';
const SMBIOS_URL_PREFIX = 'dev.plinth/machine-config-url=';
const PERSISTED = 'machine-config';
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
interface Read {
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
 * findConfig looks for the machine config in configSources. The first source that has one decides, also when it is
 * wrong: an older config must not hide a mistake in the one that was given. A cloud that does not answer holds nobody
 * up who has another config.
 * @param network who is asked over the network; without it nobody is
 */
export async function findConfig(
  sys: Sys,
  store: StateStore,
  network: NetworkSources = {},
): Promise<FoundConfig> {
  let unanswered: string | undefined;
  let cloudSilent = false;
  for (const read of sources(sys, store, network)) {
    const given = await read();
    if (!given) continue;
    const { source, bytes, drive, ...said } = given;
    unanswered ??= said.unanswered;
    cloudSilent ||= said.silent === true;
    if (said.unusable !== undefined)
      return {
        ok: false,
        code: 'config/invalid',
        problems: [`Cannot read machine config (${source}): ${said.unusable}`],
      };
    if (drive) return understandDrive(drive);
    if (bytes !== undefined) return understand(source, bytes, unanswered);
  }
  const places =
    'fw_cfg, SMBIOS, an address in them, a config drive, the metadata service of a cloud or /var/lib/plinth';
  return {
    ok: false,
    code: 'agent/config-missing',
    problems: [
      `Cannot find a machine config: none in ${places}, expected one`,
      ...(unanswered === undefined ? [] : [unanswered]),
    ],
    ...(cloudSilent && { cloudSilent }),
  };
}

function understand(source: ConfigSource, bytes: Buffer, unanswered: string | undefined): FoundConfig {
  return foundIn(source, bytes, readUserData(bytes, `machine config (${source})`), unanswered);
}

function understandDrive({ kind, device, files }: ConfigDrive): FoundConfig {
  const where = `machine config (${kind} drive ${device})`;
  const read = kind === 'nocloud' ? readNoCloud(files, where) : readOpenStackDrive(files, where);
  const names = Object.keys(files).sort();
  const given = Buffer.concat(
    names.flatMap((name) => [Buffer.from(`${name}\0`), files[name] ?? Buffer.alloc(0)]),
  );
  return foundIn(kind, given, read, undefined);
}

/** @param bytes what was given, by which it is known again */
function foundIn(
  source: ConfigSource,
  bytes: Buffer,
  read: ParsedDocument<UserData>,
  unanswered: string | undefined,
): FoundConfig {
  if (!read.ok)
    return { ok: false, code: firstCode(read.diagnostics), problems: read.diagnostics.map(oneLine) };
  const documents = Buffer.from(read.value.documents);
  return {
    ok: true,
    source,
    config: read.value.config,
    bytes: documents,
    ...(!documents.equals(bytes) && { givenHash: hashOf(bytes) }),
    ...(unanswered !== undefined && { unanswered }),
  };
}

/** keepConfig writes the config to /var, so that the node comes up with it when the machine no longer gives one. */
export async function keepConfig(store: StateStore, found: FoundConfig & { ok: true }): Promise<void> {
  if (found.source === 'persisted') return;
  const kept = await store.read(PERSISTED);
  if (!kept?.equals(found.bytes)) await store.write(PERSISTED, found.bytes);
}

function sources(
  sys: Sys,
  store: StateStore,
  { metadata, url }: NetworkSources,
): readonly (() => Promise<Read | undefined>)[] {
  return [
    async () => ({ source: 'fw_cfg', bytes: await readBytes(sys, FW_CFG) }),
    async () => ({ source: 'smbios', bytes: await readSmbios(sys, SMBIOS_PREFIX) }),
    () => readUrl(sys, store, url),
    () => readDrive(sys, store),
    async () => fromMetadata(await metadata?.read(await hasAnother(store))),
    async () => ({ source: 'persisted', bytes: await store.read(PERSISTED) }),
  ];
}

/** An address that cannot be used is an error and not passed over; a server that is silent holds nobody up who has a config. */
async function readUrl(sys: Sys, store: StateStore, ask: UrlSource | undefined): Promise<Read | undefined> {
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
async function readDrive(sys: Sys, store: StateStore): Promise<Read | undefined> {
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

function fromMetadata(given: FromMetadata | undefined): Read | undefined {
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

function firstCode(diagnostics: readonly Diagnostic[]): ErrorCode {
  return diagnostics[0]?.code ?? 'config/invalid';
}

/** A console has no room for code frames: place, message and hint on one line. */
function oneLine(diagnostic: Diagnostic): string {
  const { span, message, hint, path } = diagnostic;
  if (!span) return renderDiagnostic(diagnostic).split('\n').join(' ');
  const where = `line ${span.line}, column ${span.column}${path ? ` (${path})` : ''}`;
  return `${message} at ${where}${hint ? `; ${hint}` : ''}`;
}
