import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { momentOf } from '../../objects/index.ts';
import {
  decide,
  gist,
  HOUR_AGO,
  inSlot,
  progressOf,
  rebooted,
  specOf,
  tainted,
} from './sample-decision.testing.ts';
import {
  NEW,
  NOW_MS,
  OLD,
  PERMISSION,
  POD,
  REPORT,
  type Sample,
  SLOT,
  TAINT,
  TARGET,
  URGENT,
} from './sample-view.testing.ts';

suite('permissions', () => {
  test('one names the Node, its boot, what is started and until when', () => {
    const authorization = specOf(decide(tainted('Draining')))?.authorization;
    assert.deepEqual(
      { ...authorization, nonce: '' },
      {
        ...{ nodeUid: 'node-uid', bootId: 'one', rootHash: NEW, direction: 'Forward', nonce: '' },
        notAfter: momentOf(NOW_MS + 120_000),
      },
    );
  });

  test('none is given while plinthd and the kubelet speak of different boots', () => {
    assert.deepEqual(gist(decide(tainted('Draining', { report: { bootId: 'zero' } })))[0], '→Draining');
  });

  test('the slot is kept until the permission is over, clocks and all, and plinthd was asked after that', () => {
    const given = (minutesAgo: number, report: Partial<typeof REPORT>) =>
      gist(
        decide(
          tainted('Authorized', {
            spec: { authorization: { ...PERMISSION, notAfter: momentOf(NOW_MS - minutesAgo * 60_000) } },
            report,
          }),
        ),
      );
    assert.deepEqual(given(0.5, {}), ['→Rebooting']);
    assert.deepEqual(given(2, { observedAt: momentOf(NOW_MS - 90_000) }), ['→Rebooting']);
    assert.deepEqual(given(2, { updatePhase: 'rebooting' }), ['→Rebooting']);
    assert.deepEqual(given(2, {}), ['→Yielding']);
  });

  test('omni#888: another machine of the same name is not touched', () => {
    assert.deepEqual(gist(decide({ ...tainted('Authorized'), node: { uid: 'other' } })), []);
  });
});

suite('proof', () => {
  test('system-upgrade-controller#282: a slot is not free before the node is back, Ready for a while, on what was asked for', () => {
    const well = { osRootHash: NEW, osVersion: '1.9.0' };
    assert.deepEqual(
      gist(decide(rebooted('Verifying', well, { progress: { since: momentOf(NOW_MS - 61_000) } }))),
      ['→Untainting', 'untaint', '→Soaking'],
    );
    for (const [report, node, told] of [
      [{ ...well, contract: 'running' }, {}, ['→Verifying']],
      [well, { isReady: false }, ['→Verifying']],
      [well, { readySinceMs: NOW_MS - 5_000 }, []],
      [{ ...well, bootId: 'one' }, {}, ['→Verifying']],
    ] as const) {
      const sample = rebooted('Verifying', report, {
        progress: { since: momentOf(NOW_MS - 61_000) },
        node: { taints: [TAINT], bootId: 'two', ...node },
      });
      assert.deepEqual(gist(decide(sample)), [...told, 'call report'], JSON.stringify({ report, node }));
    }
  });

  test('a node that runs the release already is not started again: its slot goes back, and it is watched as one that is done', () => {
    const report = { osRootHash: NEW, osVersion: '1.9.0' };
    assert.deepEqual(gist(decide(tainted('Draining', { report }))), ['→Yielding']);
    assert.deepEqual(gist(decide({ report })), ['→Soaking']);
    assert.deepEqual(gist(decide({ report, slot: SLOT })).slice(0, 1), ['→Tainting']);
  });

  test('omni#1552: a node that fell back is denied the release, and is not staged with it again', () => {
    const failure = { code: 'update/fell-back', text: 'the kubelet did not start' };
    const decision = decide(rebooted('Verifying', { osRootHash: OLD, failure }));
    assert.deepEqual(gist(decision), ['→RollingBack']);
    assert.deepEqual(progressOf(decision)?.denied, [{ release: 'r1', reason: failure }]);
    assert.equal(progressOf(decision)?.failures, 1);
    const denied = progressOf(decision)?.denied ?? [];
    const again = decide({ progress: { phase: 'Staging', denied }, report: { stagedRootHash: '' } });
    assert.deepEqual(gist(again), ['→Quarantined']);
    const blocked = decide({
      progress: { phase: 'Staging' },
      report: { stagedRootHash: '', blockedVersions: ['1.9.0'] },
    });
    assert.deepEqual(gist(blocked), ['→Quarantined']);
  });

  test('a node that does not get well is started back once, into the system it names itself', () => {
    const report = { osRootHash: NEW, contract: 'running', rollbackRootHash: OLD, rollbackVersion: '1.8.0' };
    const decision = decide(rebooted('Verifying', report));
    assert.deepEqual(gist(decision), ['taint', '→RollingBack']);
    assert.equal(specOf(decision)?.authorization?.rootHash, OLD);
    assert.equal(specOf(decision)?.authorization?.bootId, 'two');
    assert.equal(progressOf(decision)?.starts, 2);
    const third = decide(rebooted('Verifying', report, { progress: { since: HOUR_AGO, starts: 2 } }));
    assert.deepEqual(gist(third), ['→Unreachable']);
  });

  test('a start back where the taint is not seen sets it behind a fence: the Node may have been given back since', () => {
    const report = { osRootHash: NEW, contract: 'running', rollbackRootHash: OLD, rollbackVersion: '1.8.0' };
    const decision = decide(rebooted('Verifying', report, { node: { taints: [], bootId: 'two' } }));
    assert.deepEqual(gist(decision), ['→Verifying', 'taint', '→RollingBack']);
  });

  test('back on the system before and well: it takes pods again, and is Quarantined', () => {
    const denied = [{ release: 'r1', reason: { code: 'a', text: 'b' } }];
    assert.deepEqual(gist(decide(rebooted('RollingBack', {}, { progress: { since: HOUR_AGO, denied } }))), [
      ...['→Untainting', 'untaint', '→Quarantined'],
    ]);
    assert.deepEqual(gist(decide(rebooted('Untainting', {}, { progress: { denied } }))), [
      ...['→Untainting', 'untaint', '→Quarantined'],
    ]);
  });
});

suite('a more urgent release (anchor 3.6)', () => {
  test('a node that is being emptied keeps its taint and its drain, and swaps its target', () => {
    const since = momentOf(NOW_MS - 60_000);
    const decision = decide(tainted('Draining', { isUrgent: true, pods: [POD], progress: { since } }));
    assert.deepEqual(gist(decision), ['→Draining']);
    assert.equal(specOf(decision)?.target?.osRootHash, URGENT);
    assert.equal(progressOf(decision)?.since, since);
  });

  test('it is staged while pods go, and given up when that takes too long', () => {
    const target = {
      ...TARGET,
      release: 'r2',
      lane: 'Critical' as const,
      osVersion: '1.9.1',
      osRootHash: URGENT,
    };
    const swapped = (secondsAgo: number): Sample =>
      tainted('Draining', {
        ...{ isUrgent: true, pods: [POD], spec: { target }, report: { stagedPercent: 0 } },
        progress: { retargetedAt: momentOf(NOW_MS - secondsAgo * 1000) },
      });
    assert.deepEqual(gist(decide(swapped(10))), ['evict web-1', 'call stage']);
    assert.deepEqual(gist(decide(swapped(301))), ['→Yielding']);
  });

  test('what was permitted already is let finish', () => {
    assert.deepEqual(
      gist(decide(tainted('Authorized', { isUrgent: true, spec: { authorization: PERMISSION } }))),
      ['call activate'],
    );
  });

  test('a recalled release, an ended rollout and a hold stop a node that was not permitted yet', () => {
    for (const rollout of [{ abort: 'Stop' as const }, { abort: 'Rollback' as const }])
      assert.deepEqual(gist(decide(tainted('Draining', { rollout }))), ['→Yielding']);
    const labels = { pool: 'w', 'plinth.dev/hold': '' };
    assert.deepEqual(gist(decide(tainted('Draining', { node: { labels, taints: [TAINT] } }))), ['→Yielding']);
    assert.deepEqual(gist(decide(tainted('Draining', { rollout: { paused: true } }))), [
      'taint',
      '→Authorized',
    ]);
  });

  test('a rollout that is taken back brings its nodes back through the same machine', () => {
    const back: Sample = {
      rollout: { abort: 'Rollback' },
      report: { osRootHash: NEW, rollbackRootHash: OLD, rollbackVersion: '1.8.0' },
    };
    assert.deepEqual(gist(decide({ ...back, slot: SLOT, progress: { phase: 'Done' } })), [
      ...['→Tainting', 'taint', '→Draining'],
    ]);
    const permitted = decide(tainted('Draining', back));
    assert.deepEqual(gist(permitted), ['taint', '→RollingBack']);
    assert.equal(specOf(permitted)?.authorization?.direction, 'Back');
    const calls = {
      ...back,
      spec: { authorization: { ...PERMISSION, direction: 'Back' as const, rootHash: OLD } },
    };
    assert.deepEqual(gist(decide(tainted('RollingBack', calls))), ['call roll-back']);
  });
});

test('a report of the boot before proves nothing', () => {
  assert.equal(REPORT.bootId, 'one');
  assert.deepEqual(gist(decide(rebooted('RollingBack', { bootId: 'one' }))), ['→Unreachable']);
});

suite('hooks, parts without a reboot, nodes that were lost', () => {
  test('hooks are annotations that name this rollout; those of one before do not count', () => {
    const policy = { hooks: { before: ['example.com/ready'], after: ['example.com/ok'] } };
    const marked = (phase: string, key: string, value: string) =>
      gist(
        decide({
          ...tainted(phase, { policy }),
          node: { taints: [TAINT], annotations: { [key]: value } },
        }),
      );
    assert.deepEqual(gist(decide(inSlot('Tainting', { policy }))).at(-1), '→PreHook');
    assert.deepEqual(marked('PreHook', 'example.com/ready', 'other'), ['→PreHook']);
    assert.deepEqual(marked('PreHook', 'example.com/ready', TARGET.rollout), ['→Draining']);
    assert.deepEqual(marked('PostHook', 'example.com/ok', TARGET.rollout)[0], '→Untainting');
  });

  test('a release that needs no reboot moves no pod, needs no permission, and is proven all the same', () => {
    const target = { ...TARGET, osVersion: '', osRootHash: '', hotLayerSerial: 4, rebootRequired: false };
    const spec = { target };
    assert.deepEqual(gist(decide(tainted('Draining', { spec, pods: [POD] }))), ['→Authorized']);
    assert.deepEqual(gist(decide(tainted('Authorized', { spec }))), ['call activate']);
    const report = { hotLayerSerial: 4 };
    assert.deepEqual(gist(decide(tainted('Authorized', { spec, report }))), ['→Verifying']);
    const since = momentOf(NOW_MS - 61_000);
    assert.deepEqual(gist(decide(tainted('Verifying', { spec, report, progress: { since } }))), [
      ...['→Untainting', 'untaint', '→Soaking'],
    ]);
    const late = decide(tainted('Authorized', { spec, progress: { since: HOUR_AGO } }));
    assert.deepEqual(gist(late), ['→RollingBack']);
    assert.equal(progressOf(late)?.failures, 1);
  });

  test('a lost node goes on from what it says when it is back, and only then', () => {
    const silent = tainted('Unreachable', {
      spec: { authorization: PERMISSION },
      node: { taints: [TAINT], isReady: false },
    });
    assert.deepEqual(gist(decide(silent)), ['call report']);
    assert.deepEqual(gist(decide(rebooted('Unreachable', { osRootHash: NEW }))), ['→Verifying']);
    const old = { ...PERMISSION, notAfter: momentOf(NOW_MS - 120_000) };
    assert.deepEqual(gist(decide(tainted('Unreachable', { spec: { authorization: old } }))), ['→Yielding']);
    const denied = [{ release: 'r1', reason: { code: 'a', text: 'b' } }];
    const progress = { since: HOUR_AGO, starts: 1, denied };
    assert.deepEqual(gist(decide(rebooted('Unreachable', {}, { progress })))[0], '→Untainting');
    const bad = { osRootHash: NEW, contract: 'running', rollbackRootHash: OLD };
    assert.deepEqual(gist(decide(rebooted('Unreachable', bad, { progress }))), ['taint', '→RollingBack']);
  });

  test('kured#63: whoever takes the policy or the slot away in mid-drain, the taint goes', () => {
    const gone = tainted('Draining', { pods: [POD], view: { policies: new Map() } });
    assert.deepEqual(gist(decide(gone)), ['→Yielding']);
    const { slot: _slot, ...lost } = tainted('Draining', { pods: [POD] });
    assert.deepEqual(gist(decide(lost)), ['→Yielding']);
    assert.deepEqual(gist(decide(tainted('Yielding'))), ['→Yielding', 'untaint', '→Staged']);
  });

  test('karpenter drift-per-nodepool-backoff: a node that gave its slot back waits longer each time', () => {
    const waits = [0, 1, 2, 20].map((attempts) => {
      const progress = progressOf(decide(tainted('Yielding', { progress: { attempts } })));
      return (Date.parse(progress?.nextTry ?? '') - NOW_MS) / 60_000;
    });
    assert.deepEqual(waits, [5, 10, 20, 360]);
  });

  test('a node that is not well in its soak is counted, and nothing is done to it', () => {
    const soaking = (report: Sample['report'], node: Sample['node']) =>
      decide({
        progress: { phase: 'Soaking', since: HOUR_AGO },
        ...(report && { report }),
        ...(node && { node }),
      });
    assert.deepEqual(gist(soaking({ osRootHash: NEW }, {})), ['→Done']);
    for (const bad of [
      soaking({ osRootHash: OLD }, {}),
      soaking({ osRootHash: NEW }, { isReady: false, readySinceMs: NOW_MS - 61_000 }),
    ]) {
      assert.deepEqual(gist(bad), ['→Quarantined']);
      assert.equal(progressOf(bad)?.failures, 1);
    }
  });

  test('a slot given to a node that is done is declined', () => {
    const decision = decide({ slot: SLOT, progress: { phase: 'Done' } });
    assert.deepEqual([gist(decision), progressOf(decision)?.admittedAt], [['→Done'], SLOT]);
  });
});
