import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CheckResult, Verdict } from '../../checks/check.ts';
import type { ContractRecord } from './contract-record.ts';
import { baselineOf, contractOfHealth, contractOfIntegrity, judgeLook } from './judge-contract.ts';

const check = (id: string, verdict: Verdict, critical = true): CheckResult => ({
  ...{ id, verdict, critical, observed: verdict, expected: 'pass', source: 'a test', cause: '', fix: '' },
});
const record: ContractRecord = {
  ...{ version: '1.1', bootId: 'boot-2', state: 'running', beganAtMs: 0, deadlineMs: 600_000, checks: [] },
};
const look = (upMs: number, ...checks: CheckResult[]) => judgeLook(record, { checks, upMs, nowMs: 7 });

suite('the health contract', () => {
  test('holds when every check passes in one look, also at the deadline', () => {
    const held = look(60_000, check('a', 'pass'), check('b', 'pass'));
    assert.deepEqual([held.state, held.decidedAtMs], ['held', 7]);
    assert.equal(look(600_000, check('a', 'pass')).state, 'held');
  });

  test('what could not be seen does not pass, and nothing seen is nothing proven', () => {
    assert.equal(look(60_000, check('a', 'pass'), check('b', 'unknown')).state, 'running');
    assert.equal(look(60_000).state, 'running');
  });

  test('breaks when the time is over, never before, and never where there is no way back', () => {
    assert.equal(look(599_999, check('a', 'fail')).state, 'running');
    assert.equal(look(600_000, check('a', 'fail')).state, 'broken');
    const { deadlineMs: _, ...endless } = record;
    const late = judgeLook(endless, { checks: [check('a', 'fail')], upMs: 1e9, nowMs: 7 });
    assert.equal(late.state, 'running');
  });

  test('what is decided stays', () => {
    for (const state of ['held', 'broken'] as const) {
      const decided = { ...record, state };
      assert.equal(judgeLook(decided, { checks: [check('a', 'fail')], upMs: 1e9, nowMs: 8 }), decided);
    }
  });

  test('texts of checks are bounded where they are stored', () => {
    const long = { ...check('policy-x', 'fail'), observed: 'x'.repeat(10_000) };
    assert.equal(look(1, long).checks[0]?.observed.length, 500);
  });
});

suite('what a version on trial has to show', () => {
  const health = [
    check('containerd', 'pass'),
    check('network', 'fail'),
    check('memory', 'fail', false),
    check('etcd', 'fail'),
    check('root-corruption', 'unknown'),
  ];

  test('critical checks, and those that every version has to pass', () => {
    const ids = contractOfHealth(health, undefined).map(({ id }) => id);
    assert.deepEqual(ids, ['containerd', 'network', 'etcd', 'root-corruption']);
  });

  test('what did not pass before is not asked for, except what no version can do without', () => {
    const before = baselineOf(health, [], []);
    const ids = contractOfHealth(health, before).map(({ id }) => id);
    assert.deepEqual(ids, ['containerd', 'network']);
  });

  test('integrity must not be worse than before: neither failing nor unseen', () => {
    const integrity = [check('secure-boot', 'fail'), check('tpm', 'unknown'), check('root', 'pass')];
    const before = baselineOf([], integrity, ['IPv4']);
    assert.equal(contractOfIntegrity(integrity, before).verdict, 'pass');
    assert.equal(contractOfIntegrity(integrity, undefined).verdict, 'fail');
    const worse = [...integrity.slice(0, 2), check('root', 'fail')];
    assert.partialDeepStrictEqual(contractOfIntegrity(worse, before), { verdict: 'fail', observed: 'root' });
    const unseen = [...integrity.slice(0, 2), check('root', 'unknown')];
    assert.equal(contractOfIntegrity(unseen, before).verdict, 'unknown');
    assert.equal(contractOfIntegrity([], before).verdict, 'unknown');
  });
});
