import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AdvisoryRecord, Finding, RecordProduct } from '../../model/index.ts';
import { draftRecord } from '../../watch/draft-record.ts';
import { readCsaf } from '../csaf/read-csaf.ts';
import { writeCsaf } from '../csaf/write-csaf.ts';
import { generatedRecord } from '../testing/generated-records.ts';
import { samplePublisher } from '../testing/oracles.ts';
import { sampleRecords } from '../testing/sample-records.ts';
import { mergeRecords } from '../tree/merge-records.ts';
import { factsOf } from './facts.ts';
import { formatRecord, parseRecord } from './read-record.ts';

// What "plinth cve watch" drafts is what "plinth cve publish" takes, once a person has set its state.

const product: RecordProduct = {
  id: 'plinth_0.1.0_x86-64',
  name: 'Plinth',
  version: '0.1.0',
  architecture: 'x86-64',
};
const next: RecordProduct = { ...product, id: 'plinth_0.1.1_x86-64', version: '0.1.1' };
const decision = { id: '', action: 'next-image', reason: 'the target is a week away' } as const;

function findingOf({ vulnerability, statuses, severities, clocks, title }: AdvisoryRecord): Finding {
  const [status] = statuses;
  assert.ok(status);
  const { verdict, reason, justification, components, evidence } = status;
  return {
    ...{ vulnerability, verdict, reason, components, severities, clocks, evidence, title },
    ...(justification && { justification }),
    ...{ disputed: false, feeds: ['debian-tracker'] },
  };
}

function draft(
  before: AdvisoryRecord | undefined,
  finding: Finding,
  at: RecordProduct,
  day: number,
): AdvisoryRecord {
  const now = new Date(Date.UTC(2026, 10, day));
  const drafted = draftRecord(before, {
    ...{ id: 'PLSA-2026-0001', product: at, codename: 'trixie' },
    ...{ finding, decision, now },
  });
  return { ...drafted, state: 'final' };
}

const read = (record: AdvisoryRecord) => parseRecord(new TextEncoder().encode(formatRecord(record)), 'draft');

function check(finding: Finding): void {
  const first = draft(undefined, finding, product, 21);
  assert.deepEqual(read(first), first);
  const fixed: Finding = { ...finding, verdict: 'fixed', reason: 'The image has the fix.' };
  delete (fixed as { justification?: unknown }).justification;
  const second = draft(first, fixed, next, 22);
  assert.deepEqual(read(second), second);
  assert.deepEqual(mergeRecords([first], [second]).changed, ['PLSA-2026-0001']);
  const document = new TextEncoder().encode(writeCsaf(second, 'csaf_vex', samplePublisher));
  assert.deepEqual(readCsaf(document, 'draft'), factsOf([second]));
}

test('drafts of the real cases are records, and their next revisions are revisions', () => {
  for (const record of sampleRecords) check(findingOf(record));
});

test('drafts of whatever a scan may find are records', () => {
  fc.assert(fc.property(generatedRecord(1), (record) => check(findingOf(record))));
});
