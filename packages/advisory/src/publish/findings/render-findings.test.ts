import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Finding, ScanReport } from '../../model/index.ts';
import { readCycloneDxVex } from '../cyclonedx/cyclonedx-vex.ts';
import { readOpenVex } from '../openvex/openvex.ts';
import { factsOf } from '../record/facts.ts';
import { readSarif } from '../sarif/sarif.ts';
import { generatedRecord } from '../testing/generated-records.ts';
import { sampleRecords } from '../testing/sample-records.ts';
import { findingsAsRecords, productOf } from './findings-as-records.ts';
import { renderFindings } from './render-findings.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function reportOf(findings: readonly Finding[]): ScanReport {
  return {
    format: 1,
    subject: {
      kind: 'root',
      name: '/srv/Root of <x>',
      architecture: 'amd64',
      distribution: 'debian 13',
      codename: 'trixie',
    },
    inputs: [],
    judgedAt: '2026-11-22T06:00:00Z',
    feeds: [{ name: 'debian-tracker', condition: 'missing', authenticity: 'none' }],
    findings,
    counts: { open: 0, fixed: 0, 'not-affected': 0, unknown: 0 },
    looked: { binaries: 0, sources: 0, goPrograms: 0, goModules: 0, npmModules: 0 },
    gaps: ['No list of files.'],
    complete: false,
  };
}

/** The first status of a record as a scan would find it. */
function findingOf({
  vulnerability,
  statuses,
  severities,
  clocks,
  title,
}: (typeof sampleRecords)[number]): Finding {
  const [status] = statuses;
  assert.ok(status);
  const { verdict, reason, justification, components, evidence } = status;
  return {
    ...{ vulnerability, verdict, reason, components, severities, clocks, evidence, title },
    ...(justification && { justification }),
    ...{ disputed: false, feeds: ['debian-tracker'] },
  };
}

const readers = { sarif: readSarif, 'cyclonedx-vex': readCycloneDxVex, openvex: readOpenVex } as const;
const formats = ['sarif', 'cyclonedx-vex', 'openvex'] as const;

test('every form of a scan reads back to the same facts', () => {
  const generated = fc.array(generatedRecord(1), { maxLength: 4 }).map((records) => records.map(findingOf));
  fc.assert(
    fc.property(fc.oneof(fc.constant(sampleRecords.map(findingOf)), generated), (findings) => {
      const report = reportOf(findings);
      const facts = factsOf(findingsAsRecords(report));
      for (const format of formats)
        assert.deepEqual(readers[format](bytes(renderFindings(report, format)), 'x'), facts, format);
    }),
  );
});

test('an empty scan is a result too', () => {
  for (const format of formats)
    assert.deepEqual(readers[format](bytes(renderFindings(reportOf([]), format)), 'x'), []);
});

test('SARIF says what failed, what could not be told, and what was not looked at', () => {
  const [run] = JSON.parse(renderFindings(reportOf(sampleRecords.map(findingOf)), 'sarif')).runs;
  const kinds = run.results.map(({ kind, level }: { kind: string; level: string }) => `${kind} ${level}`);
  assert.deepEqual(kinds, [
    'fail error',
    'notApplicable none',
    'fail note',
    'review none',
    'pass none',
    'pass none',
    'fail error',
  ]);
  assert.equal(run.invocations[0].toolExecutionNotifications[0].message.text, 'No list of files.');
  assert.equal(run.results[6].locations[0].physicalLocation.artifactLocation.uri, 'usr/bin/runc');
  assert.equal(run.properties.complete, false);
});

test('whatever was scanned gets a product id of the one form', () => {
  const subject = reportOf([]).subject;
  assert.equal(productOf(subject).id, 'srv-root-of-x-_0_amd64');
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (name, version, architecture) => {
      assert.match(
        productOf({ ...subject, name, version, architecture }).id,
        /^[a-z][a-z0-9-]{0,63}_[A-Za-z0-9.~^+-]{1,64}_[a-z0-9-]{1,16}$/,
      );
    }),
  );
});
