import { asList, readJson, textAt, texts, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord, RecordStatus, Verdict } from '../../model/index.ts';
import { type Fact, sortFacts } from '../record/facts.ts';
import { requireIds } from '../record/narrow.ts';
import { componentId, productIdOfPurl, productPurl } from '../record/product-id.ts';
import { type Publisher, pageUrl } from '../record/publisher.ts';
import { type Remedy, remediesOf } from '../record/remedies.ts';
import { notesFact, readStatusNotes, statusNotes } from '../record/status-notes.ts';

export const OPENVEX_CONTEXT = 'https://openvex.dev/ns/v0.2.0';
/** The word of OpenVEX for each verdict. */
export const OPENVEX_STATUS: Readonly<Record<Verdict, string>> = {
  open: 'affected',
  fixed: 'fixed',
  'not-affected': 'not_affected',
  unknown: 'under_investigation',
};

export interface OpenVexAbout {
  /** Address of this document, its `@id`. */
  readonly id: string;
  readonly publisher: Publisher;
  /** When the newest of its statements was made, ISO 8601. */
  readonly at: string;
  /** Only statements about this product; absent: all. */
  readonly product?: string;
}

/** writeOpenVex writes what records say as one document of OpenVEX 0.2.0: a release as product, its components as subcomponents. */
export function writeOpenVex(records: readonly AdvisoryRecord[], about: OpenVexAbout): string {
  const statements = records.flatMap((record) => {
    const remedies = remediesOf(record);
    return record.statuses
      .filter(({ product }) => about.product === undefined || product === about.product)
      .map((status) => statement(record, status, remedies, about.publisher));
  });
  const document = {
    '@context': OPENVEX_CONTEXT,
    '@id': about.id,
    author: about.publisher.name,
    role: 'Vendor',
    timestamp: about.at,
    // Records only gain revisions, so a later document has a higher number.
    version: Math.max(
      1,
      records.reduce((sum, { revisions }) => sum + revisions.length, 0),
    ),
    tooling: 'plinth',
    statements,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function statement(
  record: AdvisoryRecord,
  status: RecordStatus,
  remedies: readonly Remedy[],
  publisher: Publisher,
): unknown {
  const { id, aliases } = record.vulnerability;
  const { product, verdict, justification, components } = status;
  const digest = record.products.find((one) => one.id === product)?.digest;
  const own = new Set([product, ...components.map(({ purl }) => componentId(product, purl))]);
  const actions = remedies.filter(({ products }) => products.some((one) => own.has(one)));
  return {
    ...(record.id !== '' && { '@id': `${pageUrl(publisher, record.id)}#${encodeURIComponent(product)}` }),
    vulnerability: {
      name: id,
      description: record.description || record.title,
      ...(aliases.length > 0 && { aliases }),
    },
    timestamp: status.decidedAt,
    products: [
      {
        '@id': productPurl(product),
        identifiers: { purl: productPurl(product) },
        ...(digest !== undefined && { hashes: { 'sha-256': digest } }),
        ...(components.length > 0 && {
          subcomponents: components
            .flatMap(({ purl, ecosystem, name, binaries }) => [
              purl,
              ...(ecosystem === 'debian' ? namesInBills(name, binaries) : []),
            ])
            .map((purl) => ({ '@id': purl, identifiers: { purl } })),
        }),
      },
    ],
    status: OPENVEX_STATUS[verdict],
    status_notes: statusNotes(record, status),
    ...(justification !== undefined && { justification }),
    ...(verdict === 'not-affected' && status.reason !== '' && { impact_statement: status.reason }),
    ...(verdict === 'open' && {
      action_statement: actions.map(({ text }) => text).join('\n') || 'No fix is published yet.',
    }),
  };
}

/**
 * Scanners find binary packages in an image, so those of a source are named too, and the source as bills list it: each
 * writes the distribution in its own way, and rebuilds change the versions of binaries, so without either.
 */
function namesInBills(source: string, binaries: readonly string[]): readonly string[] {
  const purl = (name: string) => `pkg:deb/debian/${encodeURIComponent(name)}`;
  return [`${purl(source)}?arch=source`, ...binaries.map(purl)];
}

/**
 * readOpenVex reads the facts of a document as Plinth writes it.
 * @param name what the document is called in errors
 * @throws advisory/document-refused
 */
export function readOpenVex(bytes: Uint8Array, name: string): readonly Fact[] {
  const data = readJson(decodeText(bytes, name), name);
  if (textAt(data, '@context') !== OPENVEX_CONTEXT)
    throw refuse(name, 'it is not OpenVEX 0.2.0', 'its context');
  return sortFacts(
    asList(valueAt(data, 'statements')).flatMap((one) => {
      const ids = [
        textAt(one, 'vulnerability', 'name') ?? '',
        ...texts(valueAt(one, 'vulnerability', 'aliases')),
      ];
      requireIds(ids, name);
      const [id = '', ...aliases] = ids;
      const [verdict] =
        Object.entries(OPENVEX_STATUS).find(([, text]) => text === textAt(one, 'status')) ?? [];
      if (verdict === undefined) throw refuse(name, 'a statement has no status', 'one of the four');
      const notes = readStatusNotes(textAt(one, 'status_notes') ?? '');
      return asList(valueAt(one, 'products')).map((item): Fact => {
        const product = productIdOfPurl(textAt(item, '@id') ?? '');
        if (product === undefined) throw refuse(name, 'a statement is about another product', 'a release');
        const named = asList(valueAt(item, 'subcomponents')).flatMap((part) => textAt(part, '@id') ?? []);
        const purls = named.filter((purl) => purl.includes('@'));
        return notesFact(notes, { id, aliases, product, verdict: verdict as Verdict, purls });
      });
    }),
  );
}
