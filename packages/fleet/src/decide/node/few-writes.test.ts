import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { momentOf } from '../../objects/index.ts';
import type { FleetView, Heard } from '../../view/view.ts';
import { decideNode } from './decide-node.ts';
import { decide, gist, rebooted, specOf, tainted } from './sample-decision.testing.ts';
import {
  NEW,
  NOW_MS,
  PERMISSION,
  POD,
  REPORT,
  type Sample,
  SLOT,
  sampleView,
  TARGET,
} from './sample-view.testing.ts';

const BEFORE = momentOf(NOW_MS - 30_000);
const JUST_NOW = momentOf(NOW_MS - 1000);

function heard(report: Partial<typeof REPORT>, more: Partial<Heard> = {}): Partial<FleetView> {
  const said = {
    nodeUid: 'node-uid',
    release: 'r1',
    after: BEFORE,
    report: { ...REPORT, ...report },
    ...more,
  };
  return { heard: new Map([['n1', said]]) };
}

suite('what a node that is well costs', () => {
  test('what it waits for is written once that lasts, and it is looked at then', () => {
    const tried = { podUid: 'pod-1', status: 429, message: 'held', atMs: NOW_MS - 60_000 };
    const view = { evictionTries: new Map([['pod-1', tried]]) };
    const since = (ms: number, more: Sample = {}) =>
      tainted('Draining', { ...more, pods: [POD], progress: { since: momentOf(ms), ...more.progress } });
    const early = decide(since(NOW_MS - 9_000, { view }));
    assert.deepEqual(gist(early), ['evict web-1']);
    assert.equal(early.lookAgainAtMs, NOW_MS + 1_000);
    assert.deepEqual(gist(decide(since(NOW_MS - 10_000, { view }))), ['evict web-1', '→Draining']);
    // That pods go is what the phase says; it is written only in place of a reason that is over.
    assert.deepEqual(gist(decide(since(NOW_MS - 60_000))), ['evict web-1']);
    const over = { progress: { reason: { code: 'drain/held', text: 'held' } } };
    assert.deepEqual(gist(decide(since(NOW_MS - 60_000, over))), ['evict web-1', '→Draining']);
  });

  test('what it said goes into the write of its next phase', () => {
    const view = heard({ bootId: 'two', osRootHash: NEW, osVersion: '1.9.0' });
    const well = { view, progress: { since: momentOf(NOW_MS - 61_000) } };
    const { writes } = decide(rebooted('Verifying', { bootId: 'one', observedAt: BEFORE }, well));
    const [first] = writes;
    assert.equal(first?.do === 'node-update' && first.status?.node?.osRootHash, NEW);
    assert.deepEqual(
      writes.filter((write) => write.do === 'node-update').map(({ follows }) => follows),
      [undefined, true],
    );
  });

  test('… by itself where it lasts, at once where only the policy looks, and not when it is no news', () => {
    const view = heard({ updatePhase: 'downloading' });
    const sample = (phase: string, since: string): Sample =>
      tainted(phase, {
        ...{ view, report: { observedAt: BEFORE }, progress: { since } },
        spec: { authorization: PERMISSION },
      });
    assert.deepEqual(gist(decide(sample('Authorized', JUST_NOW))), ['call activate']);
    assert.deepEqual(gist(decide(sample('Authorized', BEFORE))), ['→Authorized', 'call activate']);
    assert.deepEqual(gist(decide({ view, report: { observedAt: BEFORE } })), ['→Staged']);
    assert.deepEqual(gist(decide({ view: heard({}), report: { observedAt: BEFORE } })), []);
  });

  test('what was said of another Node, of another release, or before another operator wrote what it heard does not count', () => {
    const said = { stagedRootHash: '', stagedPercent: 0 };
    const report = { observedAt: BEFORE };
    assert.deepEqual(gist(decide({ view: heard(said), report })), ['→Queued']);
    for (const more of [{ nodeUid: 'other' }, { release: 'r0' }, { after: JUST_NOW }])
      assert.deepEqual(gist(decide({ view: heard(said, more), report })), [], JSON.stringify(more));
  });

  test('a node without a target is heard, and told of once', () => {
    const view = heard({}, { release: undefined });
    const told = (osVersion: string) => {
      const sampled = sampleView({ view, report: { osVersion, observedAt: BEFORE } });
      const nodeUpdates = new Map(
        [...sampled.nodeUpdates].map(
          ([
            name,
            {
              spec: { target: _, ...spec },
              ...each
            },
          ]) => [name, { ...each, spec }],
        ),
      );
      return gist(decideNode({ ...sampled, nodeUpdates }, 'n1'));
    };
    assert.deepEqual([told('1.7.0'), told(REPORT.osVersion)], [['→Staged'], []]);
  });

  test('a permission for a boot that is over is left for the next slot to take away; one for this boot goes with the slot', () => {
    const report = { osRootHash: NEW, osVersion: '1.9.0' };
    const done = decide(rebooted('Untainting', report));
    assert.deepEqual([gist(done).at(-1), specOf(done)], ['→Soaking', undefined]);
    const unused = { ...PERMISSION, notAfter: momentOf(NOW_MS - 120_000) };
    const yielded = decide(tainted('Yielding', { spec: { authorization: unused } }));
    assert.deepEqual([gist(yielded).at(-1), specOf(yielded)?.authorization], ['→Staged', undefined]);
    assert.ok(specOf(yielded));
    const taken = decide({ slot: SLOT, spec: { target: TARGET, authorization: PERMISSION } }).writes[0];
    assert.ok(taken?.do === 'node-update' && taken.spec && taken.spec.authorization === undefined);
  });

  test('the mark of nodes that are still to come goes with the taint of one that is done', () => {
    const also = (sample: Sample) =>
      decide(sample).writes.flatMap((write) => (write.do === 'untaint' ? [write.also?.key] : []));
    assert.deepEqual(also(rebooted('Untainting', { osRootHash: NEW })), ['plinth.dev/outdated']);
    assert.deepEqual(also(tainted('Yielding')), [undefined]);
  });
});
