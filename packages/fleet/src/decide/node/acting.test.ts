import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { momentOf, type NodeReport } from '../../objects/index.ts';
import { poolOf } from '../rollout/pool.ts';
import { decide, gist, HOUR_AGO, inSlot, progressOf, rebooted, tainted } from './sample-decision.testing.ts';
import {
  NEW,
  NOW_MS,
  OLD,
  PERMISSION,
  POD,
  ROLLOUT,
  SLOT,
  sampleView,
  TARGET,
} from './sample-view.testing.ts';

const ACT = { startedAt: momentOf(NOW_MS - 5_000), state: 'Running' } as const;
const RUNNING: Partial<NodeReport> = { kubernetesAct: ACT };
const OVER: Partial<NodeReport> = { kubernetesAct: { ...ACT, state: 'Done' } };
const TRIAL: Partial<NodeReport> = {
  config: {
    revision: 2,
    state: 'OnTrial',
    needs: 'Nothing',
    isOurs: false,
    isBackStaged: false,
    changes: [],
    drift: [],
  },
};

suite('a node whose plinthd is at an act', () => {
  test('loses no pod and is not started; what it waits for is in its status; when the act is over it goes on', () => {
    for (const report of [RUNNING, TRIAL]) {
      const waiting = tainted('Draining', { report, pods: [POD] });
      assert.deepEqual(gist(decide(waiting)), ['→Draining', 'call report']);
      assert.equal(progressOf(decide(waiting))?.reason?.code, 'node/acting');
      assert.deepEqual(gist(decide(tainted('Draining', { report }))), ['→Draining', 'call report']);
    }
    const just = { since: momentOf(NOW_MS) };
    assert.deepEqual(gist(decide(tainted('Draining', { report: OVER, pods: [POD], progress: just }))), [
      'evict web-1',
    ]);
    assert.deepEqual(gist(decide(tainted('Draining', { report: OVER }))), ['taint', '→Authorized']);
  });

  test('no longer than a drain may last: then its slot goes to another', () => {
    const late = tainted('Draining', { report: RUNNING, pods: [POD], progress: { since: HOUR_AGO } });
    assert.deepEqual(gist(decide(late)), ['→Yielding']);
    assert.match(progressOf(decide(late))?.reason?.text ?? '', /not in time: plinthd is at an act/);
  });

  test('is asked in each slot before its first pod goes, and again before a start that comes much later', () => {
    const report = { observedAt: momentOf(NOW_MS - 61_000) };
    const just = { since: momentOf(NOW_MS - 1_000) };
    assert.deepEqual(gist(decide(tainted('Draining', { report, pods: [POD], progress: just }))), [
      'call report',
    ]);
    const long = { since: momentOf(NOW_MS - 62_000) };
    assert.deepEqual(gist(decide(tainted('Draining', { report, pods: [POD], progress: long }))), [
      'evict web-1',
    ]);
    assert.deepEqual(gist(decide(tainted('Draining', { report, progress: long }))).slice(-1), [
      'call report',
    ]);
  });

  test('one that is replaced need not answer, but is not emptied while it is at an act', () => {
    const policy = { replace: { provider: 'ClusterAPI', timeout: '30m' } };
    const report = { observedAt: HOUR_AGO };
    const just = { since: momentOf(NOW_MS) };
    const pods = [POD];
    assert.deepEqual(gist(decide(tainted('Draining', { policy, report, pods, progress: just }))), [
      'evict web-1',
    ]);
    const acting = { ...report, ...RUNNING };
    assert.deepEqual(gist(decide(tainted('Draining', { policy, report: acting, pods, progress: just }))), [
      'call report',
    ]);
  });

  test('is sent no permission, there or back, and is permitted no way back before the act is over', () => {
    const authorized = (report: object) =>
      tainted('Authorized', { report, spec: { authorization: PERMISSION } });
    assert.deepEqual(gist(decide(authorized({}))), ['call activate']);
    assert.deepEqual(gist(decide(authorized(RUNNING))), ['call report']);
    const back = { ...PERMISSION, direction: 'Back', rootHash: OLD } as const;
    const goingBack = (report: object) =>
      tainted('RollingBack', { report: { osRootHash: NEW, ...report }, spec: { authorization: back } });
    assert.deepEqual(gist(decide(goingBack({}))), ['call roll-back']);
    assert.deepEqual(gist(decide(goingBack(RUNNING))), ['call report']);
    const unwell = (report: object) =>
      rebooted(
        'Verifying',
        { osRootHash: NEW, rollbackRootHash: OLD, ...report },
        { node: { isReady: false } },
      );
    assert.deepEqual(gist(decide(unwell({}))), ['taint', '→RollingBack']);
    assert.deepEqual(gist(decide(unwell(RUNNING))), ['→Unreachable']);
  });

  test('is no candidate for a slot, and is asked until the act is over', () => {
    const standing = (report: object) => {
      const view = sampleView({ report });
      const policy = view.policies.get('workers');
      assert.ok(policy);
      return poolOf(view, policy, { ...TARGET, rollout: ROLLOUT }).members[0]?.standing;
    };
    assert.deepEqual([standing({}), standing(RUNNING), standing(OVER)], ['staged', 'backing-off', 'staged']);
    assert.deepEqual(gist(decide({ report: RUNNING })), ['call report']);
    assert.deepEqual(gist(decide({ report: RUNNING, slot: SLOT })), ['→Tainting', 'taint', '→Draining']);
  });
});

suite('a node whose Machine may be on its way out', () => {
  const policy = { replace: { provider: 'ClusterAPI', timeout: '30m' } };
  const labels = { pool: 'w', 'plinth.dev/hold': '' };

  test('is not given back by an operator that sees an older ledger', () => {
    const unmarked = (placeKept: boolean) =>
      tainted('Replacing', { policy, progress: { placeKept }, node: { labels } });
    assert.deepEqual(gist(decide(unmarked(false))), ['→Yielding']);
    assert.ok(!gist(decide(unmarked(true))).includes('→Yielding'));
    const lost = tainted('Unreachable', {
      ...{
        policy,
        progress: { placeKept: true, denied: [{ release: 'r1', reason: { code: 'x', text: '' } }] },
      },
    });
    assert.deepEqual(gist(decide(lost)), ['call report']);
  });

  test('is known as such before its Machine is deleted; the next slot begins without that', () => {
    const sampled = sampleView(tainted('Replacing', { policy }));
    assert.deepEqual(gist(decide(inSlot('Replacing', { policy, view: { ledgers: marked(sampled) } }))), [
      '→Replacing',
    ]);
    const next = decide({ policy, slot: SLOT, progress: { placeKept: true } });
    assert.equal(progressOf(next)?.placeKept, undefined);
  });
});

function marked({ ledgers }: ReturnType<typeof sampleView>) {
  return new Map(
    [...ledgers].map(([name, ledger]) => {
      const replaced = { since: SLOT, after: SLOT, hardware: '' };
      const entries = (ledger.status?.entries ?? []).map((each) => ({ ...each, replaced }));
      return [name, { ...ledger, status: { entries, epoch: 2 } }];
    }),
  );
}
