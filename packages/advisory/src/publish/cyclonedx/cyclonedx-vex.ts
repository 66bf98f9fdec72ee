import { createHash } from 'node:crypto';
import { asList, readJson, textAt, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord, RecordStatus, SeverityClaim, Verdict } from '../../model/index.ts';
import { type Fact, sortFacts } from '../record/facts.ts';
import { systemOf } from '../record/id-systems.ts';
import { requireIds } from '../record/narrow.ts';
import { componentId, productCpe, productPurl, splitComponentId } from '../record/product-id.ts';
import { type Publisher, pageUrl } from '../record/publisher.ts';
import { type Remedy, remediesOf } from '../record/remedies.ts';
import { notesFact, readStatusNotes, statusNotes } from '../record/status-notes.ts';

const STATES: Readonly<Record<Verdict, string>> = {
  open: 'exploitable',
  fixed: 'resolved',
  'not-affected': 'not_affected',
  unknown: 'in_triage',
};
/** CycloneDX has other reasons than VEX; the exact one is in the details. */
const JUSTIFICATIONS: Readonly<Record<string, string>> = {
  component_not_present: 'code_not_present',
  vulnerable_code_not_present: 'code_not_present',
  vulnerable_code_not_in_execute_path: 'code_not_reachable',
  vulnerable_code_cannot_be_controlled_by_adversary: 'code_not_reachable',
  inline_mitigations_already_exist: 'protected_by_mitigating_control',
};

/**
 * writeCycloneDxVex writes what records say as CycloneDX 1.6: releases with the components in question, and an analysis of each flaw
 * in each release.
 * @param at when the newest of it was made, ISO 8601
 */
export function writeCycloneDxVex(
  records: readonly AdvisoryRecord[],
  { publisher, at }: { readonly publisher: Publisher; readonly at: string },
): string {
  const body = {
    metadata: { timestamp: at, tools: { components: [{ type: 'application', name: 'plinth' }] } },
    components: releases(records),
    vulnerabilities: records.flatMap((record) => {
      const remedies = remediesOf(record);
      return record.statuses.map((status) => vulnerability(record, status, remedies, publisher));
    }),
  };
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    // The same content has the same number.
    serialNumber: `urn:uuid:${uuid(JSON.stringify(body))}`,
    version: 1,
    ...body,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function uuid(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}

function releases(records: readonly AdvisoryRecord[]): readonly unknown[] {
  const products = new Map(
    records.flatMap((record) => record.products.map((product) => [product.id, product])),
  );
  return [...products.values()].map((product) => {
    const inside = new Map(
      records
        .flatMap(({ statuses }) => statuses)
        .flatMap((status) => (status.product === product.id ? status.components : []))
        .map((component) => [component.purl, component]),
    );
    return {
      type: 'operating-system',
      'bom-ref': product.id,
      name: product.name,
      version: product.version,
      purl: productPurl(product.id),
      cpe: productCpe(product),
      ...(product.digest !== undefined && { hashes: [{ alg: 'SHA-256', content: product.digest }] }),
      ...(inside.size > 0 && {
        components: [...inside.values()].map(({ name, version, purl }) => {
          return { type: 'library', 'bom-ref': componentId(product.id, purl), name, version, purl };
        }),
      }),
    };
  });
}

function vulnerability(
  record: AdvisoryRecord,
  status: RecordStatus,
  remedies: readonly Remedy[],
  publisher: Publisher,
): unknown {
  const { id, aliases } = record.vulnerability;
  const { product, components, justification } = status;
  const refs = [product, ...components.map(({ purl }) => componentId(product, purl))];
  const actions = remedies.filter(({ products }) => products.some((one) => refs.includes(one)));
  return {
    'bom-ref': `${record.id}#${id}#${product}`,
    id,
    source: { name: systemOf(id) },
    ...(aliases.length > 0 && {
      references: aliases.map((alias) => ({ id: alias, source: { name: systemOf(alias) } })),
    }),
    ...(record.severities.length > 0 && { ratings: record.severities.map(rating) }),
    ...(record.weaknesses.length > 0 && {
      cwes: record.weaknesses.map((weakness) => Number(weakness.id.slice(4))),
    }),
    description: record.description || record.title,
    ...(actions.length > 0 && { recommendation: actions.map(({ text }) => text).join('\n') }),
    ...(record.id !== '' && { advisories: [{ title: record.id, url: pageUrl(publisher, record.id) }] }),
    published: record.publishedAt,
    updated: record.modifiedAt,
    ...(record.withdrawn && { rejected: record.withdrawn.at }),
    analysis: {
      state: STATES[status.verdict],
      ...(justification !== undefined && { justification: JUSTIFICATIONS[justification] }),
      ...(status.verdict === 'open' && status.fixedInProduct !== undefined && { response: ['update'] }),
      detail: statusNotes(record, status),
    },
    affects: refs.map((ref) => ({ ref })),
  };
}

function rating({ source, level, score, vector = '' }: SeverityClaim): unknown {
  const version = /^CVSS:(\d)\.(\d)\//.exec(vector)?.slice(1).join('') ?? '';
  const methods: Readonly<Record<string, string>> = { '30': 'CVSSv3', '31': 'CVSSv31', '40': 'CVSSv4' };
  return {
    source: { name: source },
    ...(score !== undefined && { score }),
    severity: level,
    ...(methods[version] !== undefined && { method: methods[version], vector }),
  };
}

/**
 * readCycloneDxVex reads the facts of a document as Plinth writes it.
 * @throws advisory/document-refused
 */
export function readCycloneDxVex(bytes: Uint8Array, name: string): readonly Fact[] {
  const data = readJson(decodeText(bytes, name), name);
  if (textAt(data, 'bomFormat') !== 'CycloneDX')
    throw refuse(name, 'it is not CycloneDX', 'a CycloneDX document');
  return sortFacts(
    asList(valueAt(data, 'vulnerabilities')).map((item): Fact => {
      const others = asList(valueAt(item, 'references')).flatMap(
        (reference) => textAt(reference, 'id') ?? [],
      );
      const ids = [textAt(item, 'id') ?? '', ...others];
      requireIds(ids, name);
      const [id = '', ...aliases] = ids;
      const [verdict] =
        Object.entries(STATES).find(([, text]) => text === textAt(item, 'analysis', 'state')) ?? [];
      const places = asList(valueAt(item, 'affects')).map((one) =>
        splitComponentId(textAt(one, 'ref') ?? ''),
      );
      const product = places.find(({ purl }) => purl === undefined)?.product;
      if (verdict === undefined || product === undefined)
        throw refuse(name, 'an analysis has no state, or is about nothing', 'a state, and a release');
      const purls = places.flatMap(({ purl }) => purl ?? []);
      const notes = readStatusNotes(textAt(item, 'analysis', 'detail') ?? '');
      return notesFact(notes, { id, aliases, product, verdict: verdict as Verdict, purls });
    }),
  );
}
