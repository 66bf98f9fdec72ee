import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '@plinth/host/testing';
import { stringify } from 'yaml';
import type { AffectedComponent, Finding, SeverityLevel } from '../model/index.ts';
import { decide } from './decide.ts';
import { defaultPolicy, parsePolicy, readPolicy } from './policy.ts';

const NOW = new Date('2026-11-22T12:00:00.000Z');

function finding(
  level: SeverityLevel,
  component: Partial<AffectedComponent>,
  fields: Partial<Finding> = {},
): Finding {
  return {
    vulnerability: { id: 'CVE-2026-0001', aliases: [], state: 'active' },
    verdict: 'open',
    reason: 'a test',
    components: [
      {
        ecosystem: 'debian',
        name: 'openssl',
        version: '1',
        binaries: [],
        files: [],
        fixVersion: '2',
        ...component,
      },
    ],
    severities: level === 'unknown' ? [] : [{ source: 'nvd', level }],
    clocks: { seenAt: '2026-11-22T00:00:00.000Z', fixAvailableAt: '2026-11-20T00:00:00.000Z' },
    evidence: [],
    disputed: false,
    feeds: [],
    ...fields,
  };
}

const exploited = { knownExploited: { addedAt: '2026-11-01T00:00:00.000Z', ransomware: false } };
const { fixVersion: _, ...withoutFix } = finding('low', {}).components[0] ?? { fixVersion: undefined };

test('what is done follows from severity, attacks, where it is, and whether a fix exists', () => {
  const action = (each: Finding) => decide(each, defaultPolicy, NOW).action;
  assert.equal(action(finding('critical', {})), 'hot-layer');
  assert.equal(action(finding('critical', { name: 'linux' })), 'out-of-band-image');
  assert.equal(action(finding('medium', { name: 'linux' }, exploited)), 'contain');
  assert.equal(action(finding('medium', {})), 'next-image');
  assert.equal(action(finding('unknown', {})), 'next-image');
  assert.equal(action(finding('high', {}, { components: [withoutFix as AffectedComponent] })), 'contain');
  assert.equal(action(finding('low', {}, { components: [withoutFix as AffectedComponent] })), 'wait');
  assert.equal(action(finding('high', {}, { verdict: 'unknown' })), 'triage');
  assert.equal(action(finding('high', {}, { verdict: 'fixed' })), 'none');
});

test('the clock of a fix starts with the first signed index that offers it', () => {
  const clock = (level: SeverityLevel, fields: Partial<Finding> = {}) =>
    decide(finding(level, {}, fields), defaultPolicy, NOW).clock;
  // 60 hours after the fix.
  assert.equal(clock('critical')?.state, 'breached');
  assert.equal(clock('high')?.state, 'due-soon');
  assert.equal(clock('high')?.dueAt, '2026-11-23T00:00:00.000Z');
  assert.equal(clock('medium')?.state, 'running');
  assert.equal(clock('low', exploited)?.state, 'breached');
  const triage = decide(finding('low', {}, { verdict: 'unknown' }), defaultPolicy, NOW);
  assert.deepEqual(
    [triage.target, triage.clock?.from, triage.clock?.dueAt],
    ['triage', 'seen', '2026-11-22T12:00:00.000Z'],
  );
});

test('a policy is read whole or refused', async () => {
  assert.equal(await readPolicy(undefined), defaultPolicy);
  assert.equal(await codeOf(readPolicy('/dev/zero')), 'advisory/policy-invalid');
  assert.deepEqual(parsePolicy(stringify(defaultPolicy), 'p.yaml'), defaultPolicy);
  const { triageHours: _hours, ...rest } = defaultPolicy;
  assert.throws(() => parsePolicy(stringify(rest), 'p.yaml'), { code: 'advisory/policy-invalid' });
  assert.throws(() => parsePolicy(stringify({ ...defaultPolicy, triageHours: 0 }), 'p.yaml'), {
    code: 'advisory/policy-invalid',
  });
});
