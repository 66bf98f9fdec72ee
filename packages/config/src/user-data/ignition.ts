import { createHash } from 'node:crypto';
import { checkData, type Diagnostic } from '@plinth/base';
import { isMap, isSeq, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { LIMITS } from '../parse/limits.ts';
import type { ReadSections } from '../parse/read-sections.ts';
import { hasPlace, readCarried, refusedFile } from './carried-file.ts';
import {
  type ForeignText,
  hidden,
  joined,
  openText,
  problemAt,
  type Refusal,
  rangeAt,
  siftKeys,
} from './foreign-text.ts';
import { refusedIgnition } from './ignition-refused.ts';
import { decodeBase64, inflate, invalid, type Room, type Unpacked } from './unpack.ts';

const VERSIONS = ['3.0.0', '3.1.0', '3.2.0', '3.3.0', '3.4.0', '3.5.0'] as const;

const file = z.strictObject({
  path: z.string().max(4096),
  overwrite: z.boolean().optional(),
  contents: z
    .strictObject({
      source: z.string().optional(),
      compression: z.enum(['', 'gzip']).optional(),
      verification: z
        .strictObject({
          hash: z
            .string()
            .regex(
              /^(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})$/,
              'expected "sha256-" or "sha512-" and the hash in lower case',
            )
            .optional(),
        })
        .optional(),
    })
    .optional(),
});

const honoured = z.strictObject({
  ignition: z.strictObject({
    version: z.enum(VERSIONS, `expected one of ${VERSIONS.join(', ')}`),
  }),
  storage: z.strictObject({ files: z.array(file).max(64).optional() }).optional(),
});

/** ignitionVersions are the versions of the specification that are read. */
export const ignitionVersions: readonly string[] = VERSIONS;

/** readIgnition reads an Ignition config of specification 3: its files that have a place; all else is told. */
export function readIgnition(bytes: Uint8Array, fileName: string, room: Room): ReadSections {
  const text = openText(bytes, fileName);
  if (!text.ok) return { sections: [], diagnostics: text.diagnostics };
  const { kept, diagnostics } = sift(text);
  const checked = checkData(kept, text.document, honoured, text.source);
  if (!checked.ok) return { sections: [], diagnostics: [...diagnostics, ...checked.diagnostics.map(hidden)] };
  const read = joined(
    (checked.value.storage?.files ?? []).map((entry, index) => readEntry(entry, index, text, room)),
  );
  return { ...read, diagnostics: [...diagnostics, ...read.diagnostics] };
}

/** Takes the keys apart that are refused, level by level; what is left is for the schema. */
function sift(text: ForeignText & { ok: true }) {
  const diagnostics: Diagnostic[] = [];
  const take = (
    map: YAMLMap,
    path: string,
    accepted: readonly string[],
    refused: Readonly<Record<string, Refusal>>,
  ): Record<string, unknown> => {
    if (diagnostics.length >= LIMITS.problems) return {};
    const sifted = siftKeys(map, path, accepted, refused, text);
    diagnostics.push(...sifted.diagnostics);
    return { ...sifted.kept };
  };
  const kept = take(text.map, '$', ['ignition', 'storage'], refusedIgnition.top);
  const ignition = text.map.get('ignition', true);
  if (isMap(ignition)) kept['ignition'] = take(ignition, '$.ignition', ['version'], refusedIgnition.ignition);
  const storage = text.map.get('storage', true);
  if (!isMap(storage)) return { kept, diagnostics };
  const keptStorage = take(storage, '$.storage', ['files'], refusedIgnition.storage);
  kept['storage'] = keptStorage;
  const files = storage.get('files', true);
  if (!isSeq(files)) return { kept, diagnostics };
  keptStorage['files'] = files.items.map((item, index) => {
    if (!isMap(item)) return null;
    const path = `$.storage.files[${index}]`;
    const entry = take(item, path, ['path', 'overwrite', 'contents'], refusedIgnition.file);
    const contents = item.get('contents', true);
    if (isMap(contents))
      entry['contents'] = take(
        contents,
        `${path}.contents`,
        ['source', 'compression', 'verification'],
        refusedIgnition.contents,
      );
    return entry;
  });
  return { kept, diagnostics };
}

function readEntry(
  { path, contents }: z.infer<typeof file>,
  index: number,
  text: ForeignText & { ok: true },
  room: Room,
): ReadSections {
  const place = ['storage', 'files', index];
  const where = `$.storage.files[${index}]`;
  const { document, source } = text;
  const at = rangeAt(document, [...place, 'path']);
  if (!hasPlace(path)) return refusedFile(source, at, `${where}.path`, path);
  const read = readContents(contents, room);
  if (read.ok) return readCarried(path, read.bytes, source, at, where);
  const problem = problemAt(
    source,
    rangeAt(document, [...place, 'contents', 'source']),
    `${where}.contents`,
    read.state,
  );
  return { sections: [], diagnostics: [{ ...problem, code: read.code }] };
}

function readContents(contents: z.infer<typeof file>['contents'], room: Room): Unpacked {
  const fetched = readDataUrl(contents?.source ?? '');
  const unpacked = fetched.ok && contents?.compression === 'gzip' ? inflate(fetched.bytes, room) : fetched;
  const hash = contents?.verification?.hash;
  if (!unpacked.ok || !hash) return unpacked;
  const [algorithm = '', expected] = hash.split('-');
  // "If compression is specified, the hash describes the decompressed contents."
  return createHash(algorithm).update(unpacked.bytes).digest('hex') === expected
    ? unpacked
    : invalid('content with another hash than "verification" says, expected that hash');
}

/** A data URL (RFC 2397); an empty source is an empty file. */
function readDataUrl(url: string): Unpacked {
  if (url === '') return { ok: true, bytes: new Uint8Array() };
  const [scheme = ''] = url.slice(0, 32).split(':');
  if (scheme.toLowerCase() !== 'data')
    return invalid(
      'a source that is no data URL, expected "data:…": a node fetches nothing to learn what it is',
    );
  const comma = url.indexOf(',');
  if (comma < 0) return invalid('a data URL without a comma, expected "data:,CONTENT"');
  const isBase64 = /;base64$/i.test(url.slice(0, comma));
  try {
    const content = percentDecoded(url.slice(comma + 1));
    return isBase64 ? decodeBase64(content.toString('latin1')) : { ok: true, bytes: content };
  } catch {
    return invalid('a data URL with a broken percent sign, expected "%" and two hexadecimal digits');
  }
}

function percentDecoded(text: string): Buffer {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw new URIError('percent');
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}
