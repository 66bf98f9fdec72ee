import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { momentOf, nodePhase } from '../../objects/index.ts';
import { isInFlight, PHASES } from './phases.ts';
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
  PERMISSION,
  POD,
  type Sample,
  SLOT,
  sampleView,
  TAINT,
  TARGET,
} from './sample-view.testing.ts';

suite('what the next leader does after a crash (anchor 3.7)', () => {
  test('the ledger has the node, its phase is Staged: it is taken up, once', () => {
    assert.deepEqual(gist(decide({ slot: SLOT })), ['→Tainting', 'taint', '→Draining']);
    assert.equal(progressOf(decide({ slot: SLOT }))?.admittedAt, SLOT);
    assert.deepEqual(gist(decide({ slot: SLOT, progress: { admittedAt: SLOT } })), []);
  });

  test('… and given back at once while paused, halted or held', () => {
    for (const sample of [
      { policy: { paused: true } },
      { rollout: { paused: true } },
      { rollout: { halt: 'bad disks' } },
      { node: { labels: { pool: 'w', 'plinth.dev/hold': '' } } },
      { node: { isDeleting: true } },
      { progress: { nextTry: momentOf(NOW_MS + 1) } },
    ]) {
      const decision = decide({ slot: SLOT, ...sample });
      assert.deepEqual(gist(decision), ['→Staged'], JSON.stringify(sample));
      assert.equal(progressOf(decision)?.admittedAt, SLOT);
    }
  });

  test('the taint was set or not: it is set again, behind a fence, before the phase is left', () => {
    for (const node of [{}, { taints: [TAINT] }])
      assert.deepEqual(gist(decide(inSlot('Tainting', { node }))), ['→Tainting', 'taint', '→Draining']);
  });

  test('half of the evictions were made: the pods that are still there, and the clock of the object', () => {
    const pods = [
      { ...POD, isDeleting: true },
      { ...POD, name: 'web-2', uid: 'pod-2' },
    ];
    assert.deepEqual(gist(decide(tainted('Draining', { pods }))), ['evict web-2']);
    const late = tainted('Draining', { pods, progress: { since: HOUR_AGO } });
    assert.deepEqual(gist(decide(late)), ['→Yielding']);
  });

  test('the permission was written, the phase was not: nothing was sent, so it is given anew', () => {
    const decision = decide(tainted('Draining', { spec: { authorization: PERMISSION } }));
    assert.deepEqual(gist(decision), ['taint', '→Authorized']);
    assert.notEqual(specOf(decision)?.authorization?.nonce, PERMISSION.nonce);
    assert.equal(progressOf(decision)?.starts, 1);
  });

  test('permitted, same boot: it is sent again; another boot: it is verified', () => {
    const sent = tainted('Authorized', { spec: { authorization: PERMISSION } });
    assert.deepEqual(gist(decide(sent)), ['call activate']);
    assert.deepEqual(gist(decide(rebooted('Authorized', {}))), ['→Verifying']);
    assert.deepEqual(gist(decide({ ...sent, node: { taints: [TAINT], bootId: 'two' } })), ['→Verifying']);
  });

  test('verified, still tainted: the taint goes first, the phase that gives the slot back last', () => {
    const decision = decide(rebooted('Untainting', { osRootHash: NEW }));
    assert.deepEqual(gist(decision), ['→Untainting', 'untaint', '→Soaking']);
    assert.equal(specOf(decision)?.authorization, undefined);
  });

  test('a leader that has not read everything decides nothing', () => {
    assert.deepEqual(gist(decide({ slot: SLOT, view: { isSynced: false } })), []);
  });
});

suite('deadlines (L1)', () => {
  const over: Readonly<Record<string, Sample>> = {
    Staging: { report: { stagedRootHash: '', stagedPercent: 3 } },
    PreHook: tainted('PreHook', { policy: { hooks: { before: ['example.com/ready'] } } }),
    Draining: tainted('Draining', { pods: [POD] }),
    Upgrading: tainted('Upgrading', { spec: { target: { ...TARGET, kubernetesVersion: '1.38.0' } } }),
    Replacing: tainted('Replacing', { policy: { replace: { provider: 'ClusterAPI' } } }),
    Rebooting: tainted('Rebooting', { spec: { authorization: PERMISSION } }),
    Verifying: rebooted('Verifying', { osRootHash: NEW, contract: 'running' }),
    PostHook: rebooted('PostHook', { osRootHash: NEW }, { policy: { hooks: { after: ['example.com/ok'] } } }),
    Yielding: tainted('Yielding', { spec: { authorization: PERMISSION } }),
    RollingBack: tainted('RollingBack', { spec: { authorization: { ...PERMISSION, direction: 'Back' } } }),
  };
  for (const phase of nodePhase.options) {
    const { deadlineMs, onDeadline } = PHASES[phase];
    if (onDeadline === undefined) continue;
    test(`${phase} is left when its time is over`, () => {
      const sample = over[phase];
      assert.ok(sample, `no sample of ${phase}`);
      const view = (since: string) => ({ ...sample, progress: { ...sample.progress, phase, since } });
      assert.ok(
        deadlineMs(sampleView(sample).policies.values().next().value?.spec ?? assert.fail(), 'Standard'),
      );
      const early = progressOf(decide(view(momentOf(NOW_MS))));
      assert.ok(early === undefined || early.phase === phase);
      const late = progressOf(decide(view(HOUR_AGO)))?.phase;
      assert.ok(late !== undefined && late !== phase);
    });
  }

  test('every phase that holds a slot has a way out: a deadline, or one write that is tried again', () => {
    for (const phase of nodePhase.options)
      if (isInFlight(phase) && PHASES[phase].onDeadline === undefined)
        assert.ok(['Tainting', 'Authorized', 'Untainting', 'Unreachable'].includes(phase), phase);
  });
});

suite('emptying a node', () => {
  const tried = (status: number, message: string) => ({
    evictionTries: new Map([['pod-1', { podUid: 'pod-1', status, message, atMs: NOW_MS - 60_000 }]]),
  });

  test('FLUO#196: a pod nobody starts elsewhere gives the slot back, and no other pod was asked to go', () => {
    const pods = [POD, { ...POD, name: 'bare', uid: 'pod-2', controllerKind: undefined }];
    const decision = decide(tainted('Draining', { pods }));
    assert.deepEqual(gist(decision), ['→Yielding']);
    assert.match(progressOf(decision)?.reason?.text ?? '', /default\/bare/);
  });

  test('kured#82, kubernetes#83307: what a budget holds is told by name, asked again, and given up in time', () => {
    const held = { pods: [POD], view: tried(429, 'The disruption budget web needs 2 healthy pods') };
    const decision = decide(tainted('Draining', held));
    assert.deepEqual(gist(decision), ['evict web-1', '→Draining']);
    assert.match(progressOf(decision)?.reason?.text ?? '', /default\/web-1.*budget web/);
    const late = decide(
      tainted('Draining', { ...held, progress: { since: momentOf(NOW_MS - 15 * 60_000) } }),
    );
    assert.deepEqual(gist(late), ['→Yielding']);
  });

  test('kubernetes#75957: two budgets on one pod are not asked for ever', () => {
    const view = tried(500, 'This pod has more than one PodDisruptionBudget, which is not supported.');
    assert.deepEqual(gist(decide(tainted('Draining', { pods: [POD], view }))), ['→Yielding']);
    const other = tried(500, 'etcdserver: request timed out');
    assert.deepEqual(gist(decide(tainted('Draining', { pods: [POD], view: other }))), ['evict web-1']);
  });

  test('S11: a pod is deleted past its budget only in the lane Critical, after the time of the policy, on record', () => {
    const policy = { drain: { onTimeout: 'Escalate', escalation: { deleteAfter: '10m' } } };
    const view = tried(429, 'held');
    const late = { pods: [POD], policy, view, progress: { since: momentOf(NOW_MS - 26 * 60_000) } };
    assert.deepEqual(gist(decide(tainted('Draining', late))), ['→Yielding']);
    const critical = { ...late, spec: { target: { ...TARGET, lane: 'Critical' as const } } };
    const first = decide(tainted('Draining', critical));
    assert.deepEqual([gist(first), progressOf(first)?.escalated], [['→Draining'], true]);
    const recorded = { ...critical, progress: { ...critical.progress, escalated: true } };
    assert.deepEqual(gist(decide(tainted('Draining', recorded)))[0], 'delete-pod web-1');
  });

  test('vsphere-csi#359, longhorn#1577: it does not start before its volumes are detached', () => {
    const view = { attachments: new Map([['n1', ['csi-1']]]) };
    assert.deepEqual(gist(decide(tainted('Draining', { view }))), ['→Draining']);
    assert.deepEqual(gist(decide(tainted('Draining', { view: { attachments: new Map() } }))), ['→Draining']);
    assert.deepEqual(gist(decide(tainted('Draining'))), ['taint', '→Authorized']);
  });

  test('FLUO#188: pods that were not listed are not "none"', () => {
    assert.deepEqual(gist(decide(tainted('Draining', { view: { pods: new Map() } }))), ['→Draining']);
  });

  test('a pod’s time to end is cut by the policy’s cap, and never stretched', () => {
    const graceOf = (graceSeconds: number) => {
      const [write] = decide(tainted('Draining', { pods: [{ ...POD, graceSeconds }] })).writes;
      return write?.do === 'evict' ? write.graceSeconds : assert.fail();
    };
    assert.deepEqual([graceOf(30), graceOf(3600)], [undefined, 600]);
  });
});
