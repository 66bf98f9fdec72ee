import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { factsOf } from '../record/facts.ts';
import { generatedRecord } from '../testing/generated-records.ts';
import { checkScores, samplePublisher, validateCsaf } from '../testing/oracles.ts';
import { goRecord, opensslRecord, sampleRecords } from '../testing/sample-records.ts';
import { readCvssV3 } from './cvss.ts';
import { readCsaf } from './read-csaf.ts';
import { type CsafProfile, writeCsaf } from './write-csaf.ts';

const profiles: readonly CsafProfile[] = ['csaf_security_advisory', 'csaf_vex'];
const bytes = (text: string) => new TextEncoder().encode(text);

test('every document passes every mandatory and recommended test of the OASIS validator', async () => {
  for (const record of sampleRecords) {
    for (const profile of profiles) {
      const problems = await validateCsaf(writeCsaf(record, profile, samplePublisher));
      // A score cannot be made up: where no source has a CVSS 3 vector, the validator's wish for one stays.
      const hasScore = record.severities.some(({ vector = '' }) => readCvssV3(vector));
      const counted = hasScore ? problems : problems.filter(({ test: id }) => id !== 'optionalTest_6_2_3');
      assert.deepEqual(counted, [], `${record.id} ${profile}`);
    }
  }
});

test('a document that breaks a rule is not let through by the oracle', async () => {
  const document = JSON.parse(writeCsaf(opensslRecord, 'csaf_vex', samplePublisher));
  document.vulnerabilities[0].product_status.fixed.push('plinth_0.1.0_x86-64');
  const problems = await validateCsaf(JSON.stringify(document));
  assert.ok(problems.some(({ test: id }) => id === 'mandatoryTest_6_1_6'));
  const unscored = await validateCsaf(writeCsaf(goRecord, 'csaf_vex', samplePublisher));
  assert.ok(unscored.some(({ test: id }) => id === 'optionalTest_6_2_3'));
});

test('generated records give valid documents too', async () => {
  await fc.assert(
    fc.asyncProperty(generatedRecord(1), async (record) => {
      for (const profile of profiles) {
        const problems = await validateCsaf(writeCsaf(record, profile, samplePublisher));
        assert.deepEqual(
          problems.filter(({ test: id }) => id !== 'optionalTest_6_2_3'),
          [],
          profile,
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('what is written reads back to the same facts', () => {
  for (const record of sampleRecords)
    for (const profile of profiles)
      assert.deepEqual(
        readCsaf(bytes(writeCsaf(record, profile, samplePublisher)), 'test'),
        factsOf([record]),
      );
  fc.assert(
    fc.property(generatedRecord(1), fc.constantFrom(...profiles), (record, profile) => {
      assert.deepEqual(
        readCsaf(bytes(writeCsaf(record, profile, samplePublisher)), 'test'),
        factsOf([record]),
      );
    }),
  );
});

test('scores are computed from the vector, in both versions', () => {
  const scores = [
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'CRITICAL'],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', 7.5, 'HIGH'],
    ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1, 'MEDIUM'],
    ['CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N', 0, 'NONE'],
    ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H', 9.9, 'CRITICAL'],
  ] as const;
  for (const [vector, score, severity] of scores) {
    const found = readCvssV3(vector);
    assert.deepEqual([found?.baseScore, found?.baseSeverity], [score, severity], vector);
  }
  for (const vector of [
    '',
    'nonsense',
    'CVSS:3.1/AV:N',
    'CVSS:2.0/AV:N/AC:L/Au:N/C:N/I:N/A:P',
    `${scores[0][0]}/AV:N`,
  ])
    assert.equal(readCvssV3(vector), undefined, vector);
});

test('the score of every vector there is, is the one that FIRST computes', async () => {
  const metrics = ['AV:NALP', 'AC:LH', 'PR:NLH', 'UI:NR', 'S:UC', 'C:HLN', 'I:HLN', 'A:HLN'];
  const vectors = metrics.reduce(
    (starts, metric) => {
      const [name, values = ''] = metric.split(':');
      return starts.flatMap((start) => [...values].map((value) => `${start}/${name}:${value}`));
    },
    ['CVSS:3.0', 'CVSS:3.1'],
  );
  assert.equal(vectors.length, 2 * 2592);
  const scores = vectors.map(readCvssV3);
  assert.ok(scores.every((score) => score !== undefined));
  assert.ok(await checkScores(scores));
  assert.ok(!(await checkScores([{ ...scores[0], baseScore: 1 }])));
});

test('a reader refuses what is no such document', () => {
  for (const text of ['{}', '[]', 'null', '{"document":{"csaf_version":"2.1"}}', 'x'])
    assert.throws(() => readCsaf(bytes(text), 'test'), { code: 'advisory/document-refused' });
});
