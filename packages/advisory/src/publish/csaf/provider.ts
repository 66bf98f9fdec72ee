import { asList, readJson, textAt, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord } from '../../model/index.ts';
import { compare } from '../record/facts.ts';
import { CSAF_FOLDER, csafPath, type Publisher } from '../record/publisher.ts';
import { type CsafProfile, csafTrackingId, csafUrl } from './write-csaf.ts';

/** What a trusted provider publishes beside its documents (CSAF 2.0, section 7). */

const SCHEMA = 'https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json';
const PROFILES: readonly CsafProfile[] = ['csaf_security_advisory', 'csaf_vex'];
const ROLIE_FILE = 'white/csaf-feed-tlp-white.json';

/** One document as the lists name it. */
export interface CsafEntry {
  readonly record: AdvisoryRecord;
  readonly profile: CsafProfile;
  /** Below `white/`: "2026/plsa-2026-0001.json". */
  readonly path: string;
}

/** csafEntries are all documents, changed last first. */
export function csafEntries(records: readonly AdvisoryRecord[]): readonly CsafEntry[] {
  return records
    .flatMap((record) =>
      PROFILES.map((profile): CsafEntry => {
        return { record, profile, path: csafPath(csafTrackingId(record, profile), record.publishedAt) };
      }),
    )
    .toSorted(
      (left, right) =>
        Date.parse(right.record.modifiedAt) - Date.parse(left.record.modifiedAt) ||
        compare(left.path, right.path),
    );
}

/** A key that documents are, or were, signed with. */
export interface ProviderKey {
  /** Upper-case hex. */
  readonly fingerprint: string;
  readonly armoured: string;
}

/** keyPath is where a public key lies below the CSAF folder. */
export function keyPath(fingerprint: string): string {
  return `openpgp/${fingerprint}.asc`;
}

/** providerFiles are the lists and the metadata, by their paths below the CSAF folder. @param at when they were changed last */
export function providerFiles(
  records: readonly AdvisoryRecord[],
  keys: readonly ProviderKey[],
  publisher: Publisher,
  at: string,
): ReadonlyMap<string, string> {
  const entries = csafEntries(records);
  const lines = (list: readonly string[]) => list.map((line) => `${line}\n`).join('');
  return new Map([
    ['provider-metadata.json', json(metadata(keys, publisher, at))],
    ['service.json', json(service(publisher))],
    [ROLIE_FILE, json(rolie(entries, publisher, at))],
    ['white/index.txt', lines(entries.map(({ path }) => path))],
    // Neither paths nor dates hold quotes or commas.
    ['white/changes.csv', lines(entries.map(({ path, record }) => `"${path}","${record.modifiedAt}"`))],
    ...keys.map(({ fingerprint, armoured }) => [keyPath(fingerprint), armoured] as const),
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function metadata(keys: readonly ProviderKey[], publisher: Publisher, at: string): unknown {
  const base = `${publisher.url}/${CSAF_FOLDER}`;
  return {
    canonical_url: `${base}/provider-metadata.json`,
    distributions: [
      { directory_url: `${base}/white/` },
      {
        rolie: {
          feeds: [{ summary: 'All advisories', tlp_label: 'WHITE', url: `${base}/${ROLIE_FILE}` }],
          services: [`${base}/service.json`],
        },
      },
    ],
    last_updated: at,
    list_on_CSAF_aggregators: true,
    mirror_on_CSAF_aggregators: true,
    metadata_version: '2.0',
    pgp_keys: keys.map(({ fingerprint }) => ({ fingerprint, url: `${base}/${keyPath(fingerprint)}` })),
    publisher: {
      category: 'vendor',
      name: publisher.name,
      namespace: publisher.url,
      ...(publisher.contact !== undefined && { contact_details: publisher.contact }),
    },
    role: 'csaf_trusted_provider',
  };
}

const CATEGORY = { scheme: 'urn:ietf:params:rolie:category:information-type', term: 'csaf' } as const;

function service({ url }: Publisher): unknown {
  const href = `${url}/${CSAF_FOLDER}/${ROLIE_FILE}`;
  const collection = [{ title: 'All advisories', href, categories: { category: [CATEGORY] } }];
  return { service: { workspace: [{ title: 'CSAF', collection }] } };
}

function rolie(entries: readonly CsafEntry[], publisher: Publisher, at: string): unknown {
  return {
    feed: {
      id: 'csaf-feed-tlp-white',
      title: `Advisories of ${publisher.name} (TLP:WHITE)`,
      link: [{ rel: 'self', href: `${publisher.url}/${CSAF_FOLDER}/${ROLIE_FILE}` }],
      category: [CATEGORY],
      updated: at,
      entry: entries.map(({ record, profile }) => {
        const url = csafUrl(record, profile, publisher);
        return {
          id: csafTrackingId(record, profile),
          title: record.title,
          link: [
            { rel: 'self', href: url },
            { rel: 'hash', href: `${url}.sha256` },
            { rel: 'hash', href: `${url}.sha512` },
            { rel: 'signature', href: `${url}.asc` },
          ],
          published: record.publishedAt,
          updated: record.modifiedAt,
          summary: { content: record.description || record.title },
          content: { type: 'application/json', src: url },
          format: { schema: SCHEMA, version: '2.0' },
        };
      }),
    },
  };
}

/** What the metadata of a provider say. */
export interface ProviderMetadata {
  readonly publisher: Publisher;
  readonly fingerprints: readonly string[];
}

/** readProviderMetadata reads who publishes, and with which keys. @throws advisory/document-refused */
export function readProviderMetadata(bytes: Uint8Array, name: string): ProviderMetadata {
  const data = readJson(decodeText(bytes, name), name);
  const [who, url] = [textAt(data, 'publisher', 'name'), textAt(data, 'publisher', 'namespace')];
  if (textAt(data, 'metadata_version') !== '2.0' || who === undefined || url === undefined)
    throw refuse(name, 'it has no version or publisher', 'metadata of a CSAF provider');
  const contact = textAt(data, 'publisher', 'contact_details');
  return {
    publisher: { name: who, url, ...(contact !== undefined && { contact }) },
    fingerprints: asList(valueAt(data, 'pgp_keys')).map((key) => {
      const fingerprint = textAt(key, 'fingerprint') ?? '';
      // It becomes part of a path.
      if (!/^[0-9A-F]{40,64}$/.test(fingerprint))
        throw refuse(name, 'a key has no fingerprint', 'hex digits');
      return fingerprint;
    }),
  };
}

/** readRolie reads which documents a feed names, by their addresses. @throws advisory/document-refused */
export function readRolie(
  bytes: Uint8Array,
  name: string,
): readonly { readonly src: string; readonly updated: string }[] {
  const entries = valueAt(readJson(decodeText(bytes, name), name), 'feed', 'entry');
  if (!Array.isArray(entries)) throw refuse(name, 'it has no entries', 'a ROLIE feed');
  return entries.map((entry) => ({
    src: textAt(entry, 'content', 'src') ?? '',
    updated: textAt(entry, 'updated') ?? '',
  }));
}
