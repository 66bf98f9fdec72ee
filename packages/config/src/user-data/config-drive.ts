import { checkData, type Diagnostic, type ParsedDocument } from '@plinth/base';
import { z } from 'zod';
import type { ReadSections, Section } from '../parse/read-sections.ts';
import {
  hidden,
  joined,
  openText,
  problemAt,
  type Refusal,
  rangeAt,
  sectionOf,
  siftKeys,
} from './foreign-text.ts';
import { readNetplan } from './netplan.ts';
import { readUserData, type UserData } from './read-user-data.ts';
import { network, people } from './refusals.ts';

/** The files of a config drive by their names, each at most 256 KiB. */
export type DriveTexts = Readonly<Record<string, Uint8Array>>;

const NOTHING: ReadSections = { sections: [], diagnostics: [] };

const NO_SSH: Refusal = { ...people, why: 'a node has no SSH and no users' };
const NETWORK: Refusal = {
  ...network,
  instead: 'write the file network-config of version 2, or a document of kind Network',
};

/** Keys of meta-data that are known to be of no use on a node. */
const REFUSED_META: Readonly<Record<string, Refusal>> = {
  'public-keys': NO_SSH,
  public_keys: NO_SSH,
  'network-interfaces': NETWORK,
  network_interfaces: NETWORK,
};

/** `instance-id` tells cloud-init whether it has run already; a node knows that by itself. */
const metaData = z.strictObject({
  'instance-id': z.union([z.string(), z.number()]).optional(),
  dsmode: z.enum(['local', 'net'], 'expected "local" or "net"').optional(),
  'local-hostname': z.string().max(253).optional(),
  hostname: z.string().max(253).optional(),
});

/**
 * readNoCloud reads the files of a NoCloud drive: user-data as everywhere, a name from meta-data, and network-config of
 * version 2. What cannot be honoured is an error. Codes: config/invalid, config/too-large.
 * @param where what the files are of, for diagnostics
 */
export function readNoCloud(files: DriveTexts, where: string): ParsedDocument<UserData> {
  const {
    'user-data': userData,
    'meta-data': meta,
    'vendor-data': vendor,
    'network-config': netplan,
  } = files;
  if (!userData) return refused(where, 'no file user-data, expected one');
  if (vendor && asksForSomething(vendor))
    return refused(
      where,
      'vendor-data is not empty, expected none: a node is told what it is by its user-data',
    );
  return readUserData(userData, `${where}, user-data`, (given) =>
    joined([
      meta ? readMeta(meta, `${where}, meta-data`, given) : NOTHING,
      netplan && asksForSomething(netplan) ? readNetplan(netplan, `${where}, network-config`) : NOTHING,
    ]),
  );
}

/**
 * readOpenStackDrive reads the files of openstack/latest: user_data as everywhere; the name in meta_data.json where the user
 * data has none, for the platform gives every machine a name. Codes: config/invalid, config/too-large.
 */
export function readOpenStackDrive(files: DriveTexts, where: string): ParsedDocument<UserData> {
  const userData = files['user_data'];
  if (!userData) return refused(where, 'no file openstack/latest/user_data, expected one');
  return readUserData(userData, `${where}, user_data`, (given) =>
    joined([
      readPlatformName(files['meta_data.json'], `${where}, meta_data.json`, given),
      readPlatformNetwork(files['network_data.json'], `${where}, network_data.json`, given),
      readPlatformVendor(files['vendor_data.json'], `${where}, vendor_data.json`),
    ]),
  );
}

function readMeta(bytes: Uint8Array, file: string, given: readonly Section[]): ReadSections {
  if (!asksForSomething(bytes)) return NOTHING;
  const text = openText(bytes, file);
  if (!text.ok) return { sections: [], diagnostics: text.diagnostics };
  const { document, source, map } = text;
  const sifted = siftKeys(map, '$', Object.keys(metaData.shape), REFUSED_META, text);
  const checked = checkData(sifted.kept, document, metaData, source);
  if (!checked.ok)
    return { sections: [], diagnostics: [...sifted.diagnostics, ...checked.diagnostics.map(hidden)] };
  const key = checked.value['local-hostname'] === undefined ? 'hostname' : 'local-hostname';
  const name = checked.value[key];
  if (name === undefined) return { sections: [], diagnostics: sifted.diagnostics };
  const at = rangeAt(document, [key]);
  const own = nameIn(given);
  if (own === undefined) {
    const read = sectionOf('machine', { name }, source, at);
    return { ...read, diagnostics: [...sifted.diagnostics, ...read.diagnostics] };
  }
  if (own === name) return { sections: [], diagnostics: sifted.diagnostics };
  const problem = problemAt(
    source,
    at,
    `$.${key}`,
    `${key} is another name than the one in user-data, expected the same`,
    `leave "${key}" out`,
  );
  return { sections: [], diagnostics: [...sifted.diagnostics, problem] };
}

function nameIn(given: readonly Section[]): string | undefined {
  const value = given.find(({ kind }) => kind.property === 'machine')?.value;
  return value === undefined ? undefined : String((value as { readonly name?: unknown }).name);
}

/** Of what the platform says only these are looked at; its other facts are those of the metadata service. */
const platformFacts = z.looseObject({
  hostname: z.string().max(253).optional(),
  name: z.string().max(253).optional(),
});
const platformNetwork = z.looseObject({
  networks: z
    .array(z.looseObject({ type: z.string().optional() }))
    .max(64)
    .default([]),
});
const platformVendor = z.looseObject({ 'cloud-init': z.unknown().optional() });

function readPlatformName(
  bytes: Uint8Array | undefined,
  file: string,
  given: readonly Section[],
): ReadSections {
  if (!bytes || nameIn(given) !== undefined) return NOTHING;
  const read = readFacts(bytes, file, platformFacts);
  if (!read.ok) return read.failed;
  const [name] = (read.value.hostname ?? read.value.name ?? '').split('.');
  if (!name) return NOTHING;
  return sectionOf('machine', { name: name.toLowerCase() }, read.source, [0, 0]);
}

function readPlatformNetwork(
  bytes: Uint8Array | undefined,
  file: string,
  given: readonly Section[],
): ReadSections {
  if (!bytes || given.some(({ kind }) => kind.property === 'network')) return NOTHING;
  const read = readFacts(bytes, file, platformNetwork);
  if (!read.ok) return read.failed;
  const fixed = read.value.networks.find(({ type }) => !/dhcp|slaac/.test(type ?? 'dhcp'));
  if (!fixed) return NOTHING;
  return {
    sections: [],
    diagnostics: [
      problemAt(
        read.source,
        [0, 0],
        '$.networks',
        'a network with fixed addresses, expected DHCP only',
        'add a document of kind Network to the user data, with the MAC address of the card',
      ),
    ],
  };
}

function readPlatformVendor(bytes: Uint8Array | undefined, file: string): ReadSections {
  if (!bytes) return NOTHING;
  const read = readFacts(bytes, file, platformVendor);
  if (!read.ok) return read.failed;
  if (!read.value['cloud-init']) return NOTHING;
  const said =
    '"cloud-init" asks for something, expected nothing: a node is told what it is by its user data';
  return { sections: [], diagnostics: [problemAt(read.source, [0, 0], '$.cloud-init', said)] };
}

function readFacts<T>(bytes: Uint8Array, file: string, schema: z.ZodType<T>) {
  const text = openText(bytes, file);
  if (!text.ok) return { ok: false, failed: { sections: [], diagnostics: text.diagnostics } } as const;
  const checked = checkData(text.document.toJS(), text.document, schema, text.source);
  if (!checked.ok)
    return { ok: false, failed: { sections: [], diagnostics: checked.diagnostics.map(hidden) } } as const;
  return { ok: true, value: checked.value, source: text.source } as const;
}

/** Whether a text says anything beside comments: "#cloud-config" alone does not. */
function asksForSomething(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('utf8');
  return text
    .split('\n')
    .some((line) => line.trim() !== '' && !line.trim().startsWith('#') && line.trim() !== '{}');
}

function refused(where: string, state: string): ParsedDocument<UserData> {
  const diagnostic: Diagnostic = {
    severity: 'error',
    code: 'config/invalid',
    message: `Cannot read ${where}: ${state}`,
  };
  return { ok: false, diagnostics: [diagnostic] };
}
