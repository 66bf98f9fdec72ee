import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { momentMs, momentOf, type RolloutSpec } from '../../objects/index.ts';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import type { SignedDeadline } from '../../view/view.ts';

const WAVES = [
  { name: 'canary', perClass: 1, soak: '10m' },
  { upTo: '25%', soak: '10m' },
  { upTo: '100%', soak: '0s' },
];

function fleetOf(
  count: number,
  policy: Record<string, unknown> = {},
  fleet = new ScriptedFleet(),
): ScriptedFleet {
  for (let index = 0; index < count; index += 1)
    fleet.addNode({
      name: `node-${index}`,
      labels: {
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
        'node.kubernetes.io/instance-type': `type-${index % 2}`,
      },
    });
  fleet.addRelease('2');
  fleet.addPolicy('workers', { release: '2', waves: WAVES, ...policy });
  return fleet;
}

const statusOf = (fleet: ScriptedFleet, release = '2') => fleet.rollout(release)?.status;
const done = (fleet: ScriptedFleet, release = '2') => statusOf(fleet, release)?.counts['Done'] ?? 0;
const isPhase =
  (fleet: ScriptedFleet, phase: string, release = '2') =>
  () =>
    statusOf(fleet, release)?.phase === phase;

function setRollout(fleet: ScriptedFleet, release: string, change: Partial<RolloutSpec>): void {
  const { name } = fleet.rollout(release) ?? { name: '' };
  fleet.server.change('rollout', name, ({ spec }) => ({ spec: { ...spec, ...change } }));
}

/** What was admitted, in order. */
function admissions(fleet: ScriptedFleet): string[] {
  const seen = new Set<string>();
  for (const write of fleet.writes)
    if (write.do === 'ledger') for (const { node } of write.status.entries) seen.add(node);
  return [...seen];
}

suite('canaries and halts', () => {
  test('a canary of each class comes first, and soaks before the next wave (AKS#3899)', () => {
    const fleet = fleetOf(24, { pace: { mode: 'Fastest' } });
    assert.ok(fleet.until(isPhase(fleet, 'Soaking')));
    const first = admissions(fleet);
    assert.equal(first.length, 2);
    assert.deepEqual(
      new Set(
        first.map((name) => fleet.server.objects.node.get(name)?.labels['node.kubernetes.io/instance-type']),
      ),
      new Set(['type-0', 'type-1']),
    );
    const soakFrom = fleet.nowMs;
    assert.ok(fleet.until(() => admissions(fleet).length > 2));
    assert.ok(fleet.nowMs - soakFrom >= 9 * 60_000);
  });

  test('a canary that fails halts the rollout: nobody else gets the release, until a person clears it (karpenter-provider-aws#3979)', () => {
    const fleet = fleetOf(24);
    fleet.script = { slotSeconds: 300, fate: 'fails' };
    assert.ok(fleet.until(isPhase(fleet, 'Halted')));
    assert.equal(statusOf(fleet)?.halt?.code, 'rollout/failure-budget');
    const before = admissions(fleet).length;
    fleet.script = { slotSeconds: 300, fate: 'good' };
    for (let hour = 0; hour < 48; hour += 1) fleet.step(3600);
    assert.equal(admissions(fleet).length, before, 'S10: a halt does not wear off');
    assert.equal(statusOf(fleet)?.phase, 'Halted');
    setRollout(fleet, '2', { clearedHaltAt: momentOf(fleet.nowMs) });
    assert.ok(fleet.until(isPhase(fleet, 'Complete')));
    assert.equal(done(fleet) + (statusOf(fleet)?.counts['Denied'] ?? 0), 24);
  });

  test('a newer release ends a halt, and a node that failed on the one before gets it', () => {
    const fleet = fleetOf(9);
    fleet.script = { slotSeconds: 300, fate: 'fails' };
    assert.ok(fleet.until(isPhase(fleet, 'Halted')));
    fleet.script = { slotSeconds: 300, fate: 'good' };
    fleet.addRelease('3');
    fleet.setPolicy('workers', { release: '3' });
    assert.ok(fleet.until(isPhase(fleet, 'Complete', '3')));
    assert.equal(statusOf(fleet)?.phase, 'Superseded');
    assert.equal(done(fleet, '3'), 9);
  });

  test('with rollbackWave the nodes of the failed wave go back, those of waves before stay', () => {
    const fleet = fleetOf(24, {
      pace: { mode: 'Fastest' },
      failureBudget: { absolute: 1, percent: 0, rollbackWave: true },
      capacity: { maxUnavailable: '50%' },
    });
    assert.ok(fleet.until(() => statusOf(fleet)?.wave === 2));
    const before = done(fleet);
    assert.ok(fleet.until(() => done(fleet) > before));
    fleet.script = { slotSeconds: 300, fate: 'fails' };
    assert.ok(fleet.until(isPhase(fleet, 'RollingBack')));
    assert.ok(fleet.until(isPhase(fleet, 'Halted')));
    assert.equal(done(fleet), before);
  });

  test('a recalled release is given to nobody any more', () => {
    const fleet = fleetOf(24);
    assert.ok(fleet.until(() => done(fleet) >= 3));
    fleet.server.change('release', '2', ({ spec }) => ({ spec: { ...spec, blocked: true } }));
    fleet.step(60);
    const before = admissions(fleet).length;
    for (let hour = 0; hour < 10; hour += 1) fleet.step(3600);
    assert.equal(admissions(fleet).length, before);
    assert.equal(statusOf(fleet)?.halt?.code, 'rollout/recalled');
  });
});

suite('what people do', () => {
  test('pause: nodes under way finish, nobody is begun with; resume goes on', () => {
    const fleet = fleetOf(24);
    assert.ok(fleet.until(() => fleet.ledger('workers').length > 0 && done(fleet) > 2));
    setRollout(fleet, '2', { paused: true });
    fleet.step(60);
    const before = admissions(fleet).length;
    for (let step = 0; step < 30; step += 1) fleet.step(600);
    assert.equal(admissions(fleet).length, before);
    assert.deepEqual(fleet.ledger('workers'), []);
    assert.equal(statusOf(fleet)?.bound?.name, 'admit/paused');
    setRollout(fleet, '2', { paused: false });
    assert.ok(fleet.until(isPhase(fleet, 'Complete')));
  });

  test('abort Stop leaves nodes as they are, abort Rollback brings them back under the same bounds', () => {
    const fleet = fleetOf(12);
    assert.ok(fleet.until(() => done(fleet) >= 5));
    let most = 0;
    fleet.onLedger = ({ status }) => {
      most = Math.max(most, status.entries.length);
    };
    setRollout(fleet, '2', { abort: 'Rollback' });
    assert.ok(fleet.until(isPhase(fleet, 'Stopped')), JSON.stringify(statusOf(fleet)));
    assert.equal(done(fleet), 0);
    assert.equal(most, 1);
    const stopped = fleetOf(12);
    assert.ok(stopped.until(() => done(stopped) >= 5));
    setRollout(stopped, '2', { abort: 'Stop' });
    for (let step = 0; step < 10; step += 1) stopped.step(600);
    assert.equal(statusOf(stopped)?.phase, 'Stopped');
    assert.ok(done(stopped) >= 5);
  });

  test('promote goes past the soak', () => {
    const fleet = fleetOf(24);
    assert.ok(fleet.until(isPhase(fleet, 'Soaking')));
    setRollout(fleet, '2', { promotedWave: 1 });
    fleet.step(10);
    assert.equal(statusOf(fleet)?.wave, 1);
  });

  test('a held node is never admitted, and named', () => {
    const fleet = fleetOf(6);
    fleet.server.change('node', 'node-2', ({ labels }) => ({ labels: { ...labels, 'plinth.dev/hold': '' } }));
    assert.ok(fleet.until(() => done(fleet) === 5));
    fleet.step(3600);
    assert.ok(!admissions(fleet).includes('node-2'));
    assert.equal(statusOf(fleet)?.phase, 'Progressing');
    assert.deepEqual(
      statusOf(fleet)?.blockers.map(({ node, reason }) => [node, reason.code]),
      [['node-2', 'node/held']],
    );
  });
});

suite('releases that follow each other', () => {
  test('a node that was not admitted yet gets the newer release at once: it is not updated twice (cluster-api#7428)', () => {
    const fleet = fleetOf(24);
    assert.ok(fleet.until(() => done(fleet) >= 6));
    fleet.addRelease('3');
    fleet.setPolicy('workers', { release: '3' });
    const before = new Set(admissions(fleet));
    fleet.step(60);
    assert.equal(statusOf(fleet)?.phase, 'Superseded');
    assert.ok(fleet.until(isPhase(fleet, 'Complete', '3')));
    const slots = new Map<string, Set<string>>();
    for (const write of fleet.writes)
      if (write.do === 'ledger')
        for (const { node, since } of write.status.entries)
          slots.set(node, (slots.get(node) ?? new Set()).add(since));
    for (const [node, times] of slots) assert.equal(times.size, before.has(node) ? 2 : 1, node);
  });

  test('the signed word of its channel brings the deadline nearer, never further; one that cannot be read is unknown', () => {
    const fleet = fleetOf(12);
    fleet.server.change('release', '2', ({ spec }) => ({
      spec: { ...spec, channel: { repository: 'https://updates.example', name: 'stable' } },
    }));
    const signed = (deadline: SignedDeadline) => {
      fleet.extra = { signedDeadlines: new Map([['2', deadline]]) };
      fleet.step(60);
      const { deadline: by = '', conditions = [] } = statusOf(fleet) ?? {};
      return { byMs: momentMs(by), condition: conditions.find(({ type }) => type === 'SignedDeadline') };
    };
    const unread = signed({ is: 'unknown', text: 'the server answers 503' });
    assert.equal(unread.byMs, fleet.nowMs + 336 * 3_600_000, "the policy's own");
    assert.partialDeepStrictEqual(unread.condition, { status: 'Unknown', message: 'the server answers 503' });
    const later = signed({ is: 'said', byMs: unread.byMs + 3_600_000, reason: 'no hurry' });
    assert.equal(later.byMs, unread.byMs);
    const byMs = fleet.nowMs + 7200_000;
    const sooner = signed({ is: 'said', byMs, reason: 'a hole is used' });
    assert.equal(sooner.byMs, byMs);
    assert.partialDeepStrictEqual(sooner.condition, {
      ...{ status: 'True', message: `by ${momentOf(byMs)}: a hole is used` },
    });
    assert.equal(signed({ is: 'none' }).byMs, byMs);
  });

  test('a Critical release whose fixes the running one has raises its lane: no second start for one fix', () => {
    const fleet = new ScriptedFleet();
    fleet.addRelease('3', { severity: 'Critical', cves: ['CVE-2026-1111'] });
    fleetOf(12, {}, fleet);
    fleet.server.change('release', '2', ({ spec }) => ({
      spec: { ...spec, cves: ['CVE-2026-1111', 'CVE-2026-2222'] },
    }));
    assert.ok(fleet.until(() => done(fleet) >= 3));
    const deadline = momentMs(statusOf(fleet)?.deadline ?? '');
    fleet.setPolicy('workers', { release: '3' });
    fleet.step(60);
    fleet.step(60);
    assert.equal(fleet.rollout('2')?.spec.lane, 'Critical');
    assert.equal(fleet.rollout('3'), undefined);
    assert.ok(momentMs(statusOf(fleet)?.deadline ?? '') < deadline);
    assert.ok(fleet.until(isPhase(fleet, 'Complete')));
    assert.ok(fleet.until(isPhase(fleet, 'Complete', '3')));
    assert.equal(
      fleet.rollout('3')?.spec.lane,
      'Standard',
      'every node had the fix: there is no hurry any more',
    );
  });

  test('a node that is held and lacks the fix keeps the named release Critical; the others do not wait for it', () => {
    const fleet = new ScriptedFleet();
    fleet.addRelease('3', { severity: 'Critical', cves: ['CVE-2026-1111'] });
    fleetOf(6, {}, fleet);
    fleet.server.change('release', '2', ({ spec }) => ({ spec: { ...spec, cves: ['CVE-2026-1111'] } }));
    fleet.server.change('node', 'node-2', ({ labels }) => ({ labels: { ...labels, 'plinth.dev/hold': '' } }));
    assert.ok(fleet.until(() => done(fleet) >= 2));
    fleet.setPolicy('workers', { release: '3' });
    assert.ok(fleet.until(() => fleet.rollout('3') !== undefined));
    const reports = [...fleet.server.objects.nodeUpdate.values()].map(
      ({ status }) => status?.node?.osVersion,
    );
    assert.deepEqual(reports.toSorted(), ['1', '2', '2', '2', '2', '2']);
    assert.equal(fleet.rollout('3')?.spec.lane, 'Critical');
  });

  test('a Critical release with another fix supersedes, starts inside a minute and outside the windows (L6)', () => {
    const fleet = new ScriptedFleet(Date.UTC(2026, 5, 1, 22));
    fleet.addWindow('nights', { kind: 'Allow', schedule: '0 22 * * *', duration: '1h', drainCutoff: '0s' });
    fleetOf(12, { windows: ['nights'] }, fleet);
    fleet.until(() => false, { hours: 12 });
    assert.equal(statusOf(fleet)?.bound?.name, 'admit/window');
    fleet.addRelease('3', { severity: 'Critical', cves: ['CVE-2026-1111'] });
    fleet.setPolicy('workers', { release: '3' });
    for (let step = 0; step < 4; step += 1) fleet.step(15);
    assert.ok(fleet.ledger('workers').some(({ rollout }) => rollout === fleet.rollout('3')?.name));
    assert.equal(statusOf(fleet)?.phase, 'Superseded');
    assert.ok(fleet.until(isPhase(fleet, 'Complete', '3')));
  });

  test('a node that joins with an old system after the end is brought up without canaries', () => {
    const fleet = fleetOf(6);
    assert.ok(fleet.until(isPhase(fleet, 'Complete')));
    fleet.addNode({ name: 'late' });
    assert.ok(fleet.until(() => fleet.ledger('workers').length > 0, { hours: 1 }));
    assert.ok(fleet.until(isPhase(fleet, 'Complete')));
    assert.equal(done(fleet), 7);
  });
});

suite('who stands in whose way', () => {
  test('nodes that cannot be emptied do not keep the others from their turn (karpenter drift back-off, AKS#3516)', () => {
    const fleet = fleetOf(24, { capacity: { maxUnavailable: 1 } });
    for (const index of [1, 4, 7, 10, 13])
      fleet.scripts.set(`node-${index}`, { slotSeconds: 300, fate: 'yields' });
    assert.ok(fleet.until(() => done(fleet) === 19, { hours: 12 }));
    const blockers = () => statusOf(fleet)?.blockers.map(({ reason }) => reason.code) ?? [];
    assert.ok(
      fleet.until(() => blockers().length >= 4, { hours: 1 }),
      'they are named, those that wait for the next try too',
    );
    assert.deepEqual([...new Set(blockers())], ['drain/blocked']);
  });

  test('a Standard rollout elsewhere stands back while a Critical one wants all evictions, and only then', () => {
    const fleet = new ScriptedFleet();
    fleet.addRelease('3', { severity: 'Critical', cves: ['CVE-2026-1111'] });
    for (let index = 0; index < 20; index += 1)
      fleet.addNode({ name: `other-${index}`, labels: { pool: 'b' } });
    fleetOf(24, {}, fleet);
    assert.ok(fleet.until(() => done(fleet) >= 3));
    fleet.addPolicy('urgent', {
      ...{ nodeSelector: { matchLabels: { pool: 'b' } }, release: '3', pace: { mode: 'Fastest' } },
      churn: { maxEvictionsPerSecond: 0.1 },
    });
    const isShort = () => statusOf(fleet, '3')?.bound?.name === 'churn';
    assert.ok(fleet.until(isShort, { step: 20, hours: 3 }), JSON.stringify(statusOf(fleet, '3')?.bound));
    fleet.step(20);
    assert.equal(statusOf(fleet)?.bound?.name, 'admit/critical-first');
    assert.ok(fleet.until(isPhase(fleet, 'Complete', '3')));
    assert.ok(fleet.until(isPhase(fleet, 'Complete')));
  });
});
