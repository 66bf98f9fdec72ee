import { PlinthError } from '@plinth/base';
import { readJson } from '../../documents/read-json.ts';
import { decodeText } from '../../documents/read-text.ts';
import type { AdvisoryRecord } from '../../model/index.ts';
import { parseProductId } from './product-id.ts';
import { recordSchema } from './record-schema.ts';

const LIMITS = { bytes: 16 * 1024 * 1024, depth: 12, nodes: 500_000 };

/**
 * parseRecord reads a record that lies as a JSON file, a draft or one that is published.
 * @param name what the file is called in errors
 * @throws advisory/document-refused past the limits, advisory/record-invalid when it is none or contradicts itself
 */
export function parseRecord(bytes: Uint8Array, name: string): AdvisoryRecord {
  const result = recordSchema.safeParse(readJson(decodeText(bytes, name, LIMITS), name, LIMITS));
  if (!result.success) {
    const issue = result.error.issues[0];
    const path = issue?.path.map(String).join('.') ?? '';
    throw invalid(name, `${path || 'it'}: ${issue?.message ?? 'is of another kind'}`);
  }
  // The schema has checked every field; only the union of feed names is narrower in the type than a pattern can say.
  const record = result.data as AdvisoryRecord;
  const problem = recordProblem(record);
  if (problem !== undefined) throw invalid(name, problem);
  return record;
}

/** formatRecord writes a record as it is published: JSON with sorted keys, so that equal records are equal bytes. */
export function formatRecord(record: AdvisoryRecord): string {
  return `${JSON.stringify(record, sortKeys, 2)}\n`;
}

/** sortKeys is a replacer for JSON.stringify: objects with their keys in order. */
export function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : Number(left > right))),
  );
}

/** recordProblem says how a record contradicts itself; undefined when it does not. */
export function recordProblem(record: AdvisoryRecord): string | undefined {
  return productProblem(record) ?? statusProblem(record) ?? historyProblem(record);
}

function productProblem({ products, vulnerability }: AdvisoryRecord): string | undefined {
  const seen = new Set<string>();
  for (const product of products) {
    if (seen.has(product.id)) return `product ${product.id} is there twice`;
    seen.add(product.id);
    const parts = parseProductId(product.id);
    if (parts?.version !== product.version || parts.architecture !== product.architecture)
      return `product ${product.id} has version ${product.version} and architecture ${product.architecture}`;
  }
  const names = [vulnerability.id, ...vulnerability.aliases];
  if (new Set(names).size < names.length) return 'one identifier is there twice';
  return undefined;
}

function statusProblem({ products, statuses, remediations }: AdvisoryRecord): string | undefined {
  const known = new Map(products.map(({ id }) => [id, 0]));
  const verdicts = new Map(statuses.map(({ product, verdict }) => [product, verdict]));
  for (const { product, verdict, justification, components, fixedInProduct } of statuses) {
    const times = known.get(product);
    if (times === undefined) return `a status names product ${product}, which is not listed`;
    if (times > 0) return `product ${product} has two statuses`;
    known.set(product, 1);
    if ((verdict === 'not-affected') !== (justification !== undefined))
      return `product ${product} is ${verdict} ${justification ? 'with' : 'without'} a justification`;
    const purls = components.map(({ purl }) => purl);
    if (new Set(purls).size < purls.length) return `product ${product} has one component twice`;
    if (fixedInProduct === undefined) continue;
    if (!known.has(fixedInProduct)) return `product ${fixedInProduct}, which has the fix, is not listed`;
    const there = verdicts.get(fixedInProduct);
    if (there === 'open' || there === 'unknown')
      return `product ${fixedInProduct} is said to have the fix, and to be ${there}`;
  }
  const unused = [...known].find(([id, times]) => times === 0 && !isFix(id, statuses));
  if (unused) return `product ${unused[0]} has no status`;
  const stray = remediations.flatMap((remedy) => remedy.products).find((id) => !known.has(id));
  return stray === undefined ? undefined : `a remediation names product ${stray}, which is not listed`;
}

function isFix(id: string, statuses: AdvisoryRecord['statuses']): boolean {
  return statuses.some(({ fixedInProduct }) => fixedInProduct === id);
}

function historyProblem({ revisions, publishedAt, modifiedAt, state }: AdvisoryRecord): string | undefined {
  for (const [index, { number, date }] of revisions.entries()) {
    if (number !== index + 1) return `revision ${number} stands at place ${index + 1}`;
    const before = revisions[index - 1];
    if (before && Date.parse(before.date) > Date.parse(date))
      return `revision ${number} is older than the one before`;
  }
  const [first, last] = [revisions[0], revisions.at(-1)];
  if (state === 'draft') return undefined;
  if (first && Date.parse(first.date) !== Date.parse(publishedAt))
    return 'it was not published at its first revision';
  if (last && Date.parse(last.date) !== Date.parse(modifiedAt))
    return 'it was not modified at its last revision';
  return undefined;
}

function invalid(name: string, state: string): PlinthError {
  return new PlinthError(
    'advisory/record-invalid',
    `Cannot use record ${name}: ${state}, expected a record that agrees with itself`,
  );
}
