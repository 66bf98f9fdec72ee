import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { NOW_MS, SLOT, sampleView, TAINT } from '../decide/node/sample-view.testing.ts';
import { openAuditor } from './auditor.ts';
import type { Observation, ObservedPod } from './observation.ts';

const WEB = { matchLabels: { app: 'web' }, matchExpressions: [] };

interface Change {
  readonly escalated?: boolean;
  readonly isTainted?: boolean;
  readonly rate?: number;
}

/** A node n1 with a slot, our taint and pods; the audit of it, so far without a finding. */
function draining({ escalated = false, isTainted = true, rate = 20 }: Change = {}) {
  const view = sampleView({
    ...{ slot: SLOT, progress: { phase: 'Draining', escalated }, node: { taints: isTainted ? [TAINT] : [] } },
    policy: { churn: { maxEvictionsPerSecond: rate } },
  });
  const auditor = openAuditor({ lagMs: 30_000, staleEntryMs: 60_000 });
  const see = (observation: Observation, atMs = NOW_MS) => auditor.observe(observation, atMs);
  for (const [name, object] of view.policies) see({ kind: 'policy', name, object });
  for (const [name, object] of view.ledgers) see({ kind: 'ledger', name, object });
  for (const [name, object] of view.nodes) see({ kind: 'node', name, object });
  for (const [name, object] of view.nodeUpdates) see({ kind: 'nodeUpdate', name, object });
  const [node = ''] = view.nodes.keys();
  return {
    see,
    pod(uid: string, details: Partial<ObservedPod['details']> = {}, other: Partial<ObservedPod> = {}) {
      see({
        ...{ kind: 'pod', name: uid },
        object: {
          ...{ uid, node, controllerKind: 'ReplicaSet', phase: 'Running', isMirror: false, ...other },
          details: {
            ...{
              namespace: 'shop',
              name: uid,
              labels: { app: 'web' },
              isReady: true,
              goingSinceMs: undefined,
            },
            ...details,
          },
        },
      });
    },
    budget(disruptedPods: readonly string[], namespace = 'shop') {
      see({ kind: 'budget', name: 'b', object: { namespace, name: 'web', selector: WEB, disruptedPods } });
    },
    gone: (uid: string, atMs = NOW_MS) => see({ kind: 'pod', name: uid, object: undefined }, atMs),
    rules: () => auditor.violations.map(({ rule }) => rule),
  };
}

suite('S11: a pod goes past its budget', () => {
  test('one that the budget did not let go is found, seen to be going or gone at once', () => {
    const going = draining();
    going.budget([]);
    going.pod('a');
    going.pod('a', { goingSinceMs: NOW_MS });
    going.pod('a', { goingSinceMs: NOW_MS, isReady: false });
    going.gone('a');
    assert.deepEqual(going.rules(), ['S11'], 'once');
    const gone = draining();
    gone.budget([]);
    gone.pod('a');
    gone.gone('a');
    assert.deepEqual(gone.rules(), ['S11']);
  });

  test('each pod needs its own leave: one that was let go before does not count for its name again', () => {
    const fleet = draining();
    fleet.budget([]);
    fleet.pod('a');
    fleet.pod('b');
    fleet.budget(['a']);
    fleet.pod('a', { goingSinceMs: NOW_MS });
    fleet.budget([]);
    assert.deepEqual(fleet.rules(), []);
    fleet.pod('b', { goingSinceMs: NOW_MS });
    assert.deepEqual(fleet.rules(), ['S11']);
    fleet.gone('a');
    fleet.pod('a-again', { name: 'a' });
    fleet.pod('a-again', { name: 'a', goingSinceMs: NOW_MS });
    assert.deepEqual(fleet.rules(), ['S11', 'S11']);
  });

  test('what no budget holds, what is not ours, on record or not Ready is none', () => {
    const cases: readonly ((fleet: ReturnType<typeof draining>) => void)[] = [
      (fleet) => fleet.pod('a', { labels: { app: 'other' } }),
      (fleet) => fleet.pod('a', { namespace: 'other' }),
      (fleet) => fleet.pod('a', { isReady: false }),
      (fleet) => fleet.pod('a', {}, { controllerKind: 'DaemonSet' }),
      (fleet) => fleet.pod('a', {}, { phase: 'Succeeded' }),
      (fleet) => fleet.pod('a', {}, { isMirror: true }),
      (fleet) => fleet.pod('a', {}, { node: 'elsewhere' }),
      (fleet) => fleet.pod('a', { goingSinceMs: NOW_MS - 5_000 }),
    ];
    for (const make of cases) {
      const fleet = draining();
      fleet.budget([]);
      make(fleet);
      fleet.gone('a');
      assert.deepEqual(fleet.rules(), [], String(make));
    }
    for (const change of [{ escalated: true }, { isTainted: false }]) {
      const fleet = draining(change);
      fleet.budget([]);
      fleet.pod('a');
      fleet.gone('a');
      assert.deepEqual(fleet.rules(), [], JSON.stringify(change));
    }
  });
});

suite('S15: more pods go than the policy allows', () => {
  const run = (perSecond: number, count: number) => {
    const fleet = draining({ rate: 2 });
    for (let index = 0; index < count; index += 1) {
      const uid = `p${index}`;
      const goingSinceMs = NOW_MS + Math.floor((index / perSecond) * 1000);
      fleet.pod(uid, { labels: {} });
      fleet.pod(uid, { labels: {}, goingSinceMs });
    }
    return fleet.rules();
  };

  test('as fast as it allows, for however long, is none; with the first second of two operators neither', () => {
    assert.deepEqual(run(2, 400), []);
    assert.deepEqual(run(1000, 4), []);
  });

  test('half again as fast is found', () => {
    assert.ok(run(3, 200).includes('S15'));
    assert.deepEqual([...new Set(run(1000, 200))], ['S15']);
  });
});
