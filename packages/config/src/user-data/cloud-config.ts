import { createHash, X509Certificate } from 'node:crypto';
import { checkData, type Diagnostic, type TextSource } from '@plinth/base';
import type { Document } from 'yaml';
import { z } from 'zod';
import { authorityPem } from '../framework/authority.ts';
import { serverName } from '../framework/names.ts';
import { hostName } from '../kinds/machine/kind.ts';
import type { ReadSections } from '../parse/read-sections.ts';
import { hasPlace, readCarried, refusedFile } from './carried-file.ts';
import { refusedCloudConfig } from './cloud-config-refused.ts';
import { hidden, joined, openText, problemAt, rangeAt, sectionOf, siftKeys } from './foreign-text.ts';
import { decodeBase64, inflate, type Room } from './unpack.ts';

const ENCODINGS: Readonly<Record<string, { readonly base64: boolean; readonly gzip: boolean }>> = {
  'text/plain': { base64: false, gzip: false },
  b64: { base64: true, gzip: false },
  base64: { base64: true, gzip: false },
  'gz+b64': { base64: true, gzip: true },
  'gz+base64': { base64: true, gzip: true },
  'gzip+b64': { base64: true, gzip: true },
  'gzip+base64': { base64: true, gzip: true },
};

const refuse = (said: string) =>
  z.unknown().superRefine((_, context) => context.addIssue({ code: 'custom', message: said }));

const never = (why: string) => refuse(why).optional();

const writeFile = z.strictObject({
  path: z.string().max(4096),
  content: z.string().default(''),
  encoding: z.enum(Object.keys(ENCODINGS)).default('text/plain'),
  append: z.literal(false, 'expected false: the file is read as it is here').optional(),
  owner: never('expected no "owner": the file is read, and never written to the node'),
  permissions: never('expected no "permissions": the file is read, and never written to the node'),
  defer: never('expected no "defer": the file is read before anything runs'),
  source: never('expected no "source" but "content": a node fetches nothing to learn what it is'),
});

const caCerts = z.strictObject({
  trusted: z.array(authorityPem).max(32).default([]),
  remove_defaults: z.literal(false, 'expected false: the authorities of the image stay').optional(),
  'remove-defaults': z.literal(false, 'expected false: the authorities of the image stay').optional(),
});

const ntp = z.strictObject({
  enabled: z.literal(true, 'expected true: a node always keeps its time').optional(),
  ntp_client: z.enum(['auto', 'systemd-timesyncd']).optional(),
  servers: z.array(serverName).max(8).default([]),
  pools: z.array(serverName).max(8).default([]),
  peers: never('expected "servers": a node keeps its time by servers only'),
  allow: never('expected no "allow": a node gives no time to others'),
  config: never('expected no "config": the program and its settings are those of the image'),
});

/** The keys that a node honours. */
const honoured = z.strictObject({
  hostname: hostName.optional(),
  fqdn: hostName
    .regex(/^[^.]*$/)
    .optional()
    .describe('Only without a domain: a node has a name of one word.'),
  ntp: ntp.optional(),
  write_files: z.array(writeFile).max(64).optional(),
  ca_certs: caCerts.optional(),
  'ca-certs': caCerts.optional(),
});

type Honoured = z.infer<typeof honoured>;

/** honouredCloudConfig are the keys of #cloud-config that become something on a node. */
export const honouredCloudConfig: readonly string[] = Object.keys(honoured.shape);

/** readCloudConfig reads #cloud-config: what it says in documents of ours, and every key that cannot be said so. */
export function readCloudConfig(bytes: Uint8Array, file: string, room: Room): ReadSections {
  const text = openText(bytes, file);
  if (!text.ok) return { sections: [], diagnostics: text.diagnostics };
  const { document, source } = text;
  const sifted = siftKeys(text.map, '$', honouredCloudConfig, refusedCloudConfig, text);
  const checked = checkData(sifted.kept, document, honoured, source);
  if (!checked.ok)
    return { sections: [], diagnostics: [...sifted.diagnostics, ...checked.diagnostics.map(hidden)] };
  const read = joined([
    nameSection(checked.value, document, source),
    ntpSection(checked.value, document, source),
    authoritiesSection(checked.value, document, source),
    ...(checked.value.write_files ?? []).map((entry, index) =>
      readEntry(entry, ['write_files', index], document, source, room),
    ),
  ]);
  return { ...read, diagnostics: [...sifted.diagnostics, ...read.diagnostics] };
}

const NOTHING: ReadSections = { sections: [], diagnostics: [] };

function nameSection({ hostname, fqdn }: Honoured, document: Document, source: TextSource): ReadSections {
  const name = hostname ?? fqdn;
  if (name === undefined) return NOTHING;
  const at = rangeAt(document, [hostname === undefined ? 'fqdn' : 'hostname']);
  if (fqdn !== undefined && fqdn !== name)
    return failed(
      problemAt(
        source,
        rangeAt(document, ['fqdn']),
        '$.fqdn',
        'fqdn is another name than hostname, expected one name without a domain',
        'leave "fqdn" out',
      ),
    );
  return sectionOf('machine', { name }, source, at);
}

function ntpSection(value: Honoured, document: Document, source: TextSource): ReadSections {
  const servers = [...new Set([...(value.ntp?.servers ?? []), ...(value.ntp?.pools ?? [])])];
  if (servers.length === 0) return NOTHING;
  return sectionOf('network', { ntp: { servers } }, source, rangeAt(document, ['ntp']));
}

function authoritiesSection(value: Honoured, document: Document, source: TextSource): ReadSections {
  const own = value.ca_certs?.trusted ?? [];
  const old = value['ca-certs']?.trusted ?? [];
  const at = rangeAt(document, [own.length > 0 ? 'ca_certs' : 'ca-certs']);
  if (own.length > 0 && old.length > 0)
    return failed(problemAt(source, at, '$.ca_certs', '"ca_certs" and "ca-certs", expected one of them'));
  const named = [...own, ...old].map((certificate) => ({ name: authorityName(certificate), certificate }));
  if (named.length === 0) return NOTHING;
  return sectionOf('trustedCAs', { authorities: named }, source, at);
}

/** The same certificate has the same name, wherever it stands. */
function authorityName(certificate: string): string {
  const digest = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
  return `user-data-${digest.slice(0, 16)}`;
}

function readEntry(
  { path, content, encoding }: z.infer<typeof writeFile>,
  place: readonly (string | number)[],
  document: Document,
  source: TextSource,
  room: Room,
): ReadSections {
  const where = `$.${place[0]}[${place[1]}]`;
  const at = rangeAt(document, [...place, 'path']);
  if (!hasPlace(path)) return refusedFile(source, at, `${where}.path`, path);
  const { base64, gzip } = ENCODINGS[encoding] ?? { base64: false, gzip: false };
  const decoded = base64 ? decodeBase64(content) : ({ ok: true, bytes: Buffer.from(content) } as const);
  const unpacked = decoded.ok && gzip ? inflate(decoded.bytes, room) : decoded;
  if (unpacked.ok) return readCarried(path, unpacked.bytes, source, at, `${where}.content`);
  const problem = problemAt(
    source,
    rangeAt(document, [...place, 'content']),
    `${where}.content`,
    unpacked.state,
  );
  return failed({ ...problem, code: unpacked.code });
}

function failed(diagnostic: Diagnostic): ReadSections {
  return { sections: [], diagnostics: [diagnostic] };
}
