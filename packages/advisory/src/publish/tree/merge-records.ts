import { PlinthError } from '@plinth/base';
import type { AdvisoryRecord } from '../../model/index.ts';
import { compare } from '../record/facts.ts';
import { formatRecord } from '../record/read-record.ts';
import { weaknessProblem } from '../record/weakness-names.ts';

/** What a publication changes. */
export interface MergedRecords {
  /** All records, in the order of their ids. */
  readonly records: readonly AdvisoryRecord[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
}

/**
 * mergeRecords puts new records beside those that are published. What is published is never deleted, and changes only by a
 * revision more that leaves the history as it was.
 * @throws advisory/not-public, advisory/record-conflict, advisory/record-invalid
 */
export function mergeRecords(
  published: readonly AdvisoryRecord[],
  given: readonly AdvisoryRecord[],
): MergedRecords {
  const all = new Map(published.map((record) => [record.id, record]));
  const seen = new Set<string>();
  const [added, changed]: [string[], string[]] = [[], []];
  for (const record of given) {
    if (record.state === 'draft') {
      throw new PlinthError(
        'advisory/not-public',
        `Cannot publish ${record.id}: it is a draft, expected "interim" or "final"`,
      );
    }
    if (seen.has(record.id)) throw conflict(record.id, 'it was given twice', 'once');
    seen.add(record.id);
    const before = all.get(record.id);
    if (before && formatRecord(before) === formatRecord(record)) continue;
    requireWeaknessNames(record);
    if (before) requireNextRevision(before, record);
    (before ? changed : added).push(record.id);
    all.set(record.id, record);
  }
  return { records: [...all.values()].toSorted((left, right) => compare(left.id, right.id)), added, changed };
}

/** Only of what is new: the list grows and renames, and what was published by it stays. */
function requireWeaknessNames(record: AdvisoryRecord): void {
  const problem = weaknessProblem(record);
  if (problem !== undefined)
    throw new PlinthError(
      'advisory/record-invalid',
      `Cannot publish ${record.id}: ${problem}, expected its name of cwe.mitre.org`,
    );
}

function requireNextRevision(before: AdvisoryRecord, after: AdvisoryRecord): void {
  const [was, is] = [before.revisions.length, after.revisions.length];
  if (is <= was)
    throw conflict(after.id, `it differs from the published one at revision ${was}`, 'a revision more');
  const old = JSON.stringify(before.revisions);
  if (JSON.stringify(after.revisions.slice(0, was)) !== old || before.publishedAt !== after.publishedAt)
    throw conflict(after.id, 'its history was changed', 'the published history, and a revision more');
  if (
    before.vulnerability.id !== after.vulnerability.id &&
    !after.vulnerability.aliases.includes(before.vulnerability.id)
  )
    throw conflict(
      after.id,
      `it no longer names ${before.vulnerability.id}`,
      'the old name among its aliases',
    );
  const products = new Set(after.statuses.map(({ product }) => product));
  const lost = before.statuses.find(({ product }) => !products.has(product));
  if (lost) throw conflict(after.id, `it no longer says anything about ${lost.product}`, 'a status for it');
}

function conflict(id: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/record-conflict', `Cannot publish ${id}: ${state}, expected ${expected}`);
}
