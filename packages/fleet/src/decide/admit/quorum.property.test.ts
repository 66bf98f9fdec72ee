import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';

const cases = fc.record({
  planes: fc.integer({ min: 1, max: 5 }),
  /** For each step: which members are sick, whether one learns, whether etcd can be asked. */
  states: fc.array(
    fc.record({
      sick: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
      hasLearner: fc.constantFrom(false, false, false, true),
      isSilent: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 5, maxLength: 40 },
  ),
  leader: fc.nat(4),
});

test('a control plane is only taken from a majority that is healthy without it, one at a time over two policies (S3; kured#841, cluster-api#11772)', () => {
  let admissions = 0;
  fc.assert(
    fc.property(cases, ({ planes, states, leader }) => {
      const fleet = new ScriptedFleet();
      const names = Array.from({ length: planes }, (_, index) => `cp-${index}`);
      for (const [index, name] of names.entries())
        fleet.addNode({
          name,
          labels: { pool: `cp-${index % 2}`, 'node-role.kubernetes.io/control-plane': '' },
        });
      fleet.addRelease('2');
      for (const pool of ['cp-0', 'cp-1'])
        fleet.addPolicy(pool, {
          ...{ nodeSelector: { matchLabels: { pool } }, role: 'ControlPlane', release: '2' },
          ...{ waves: [{ upTo: '100%', soak: '0s' }], pace: { mode: 'Fastest' } },
          capacity: { maxUnavailable: 1, allowSingleNode: true, headroom: { enabled: false } },
        });
      fleet.onLedger = ({ status }, { etcd, ledgers }) => {
        const [entry, ...more] = status.entries;
        assert.deepEqual(more, [], 'one control plane at a time');
        const before = [...ledgers.values()].flatMap((ledger) => ledger.status?.entries ?? []);
        if (entry === undefined || before.some(({ since }) => since === entry.since)) return;
        admissions += 1;
        assert.ok(etcd !== undefined, 'etcd was not asked');
        assert.ok(!etcd.members.some(({ isLearner }) => isLearner), 'a member is joining');
        const healthy = etcd.members.filter(({ node, isHealthy }) => isHealthy && node !== entry.node).length;
        assert.ok(
          healthy * 2 > etcd.members.length || etcd.members.length === 1,
          `${healthy} of ${planes} left`,
        );
      };
      for (const { sick, hasLearner, isSilent } of states)
        for (let time = 0; time < 8; time += 1) {
          const out = new Set(fleet.ledger('control-planes.fleet.plinth.dev').map(({ node }) => node));
          const members = names.map((node, index) => ({
            ...{
              node,
              isHealthy: !sick.includes(index) && !out.has(node),
              isLearner: hasLearner && index === 0,
            },
            isLeader: index === leader % planes,
          }));
          fleet.etcd = isSilent ? undefined : { members, hasAlarm: false, askedAtMs: fleet.nowMs + 60_000 };
          fleet.step(60);
        }
    }),
    { numRuns: 60 },
  );
  assert.ok(admissions > 60, `${admissions} admissions: too few to prove anything`);
});
