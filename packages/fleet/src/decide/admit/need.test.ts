import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { momentMs, policySpec } from '../../objects/index.ts';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import { previewRollout } from '../rollout/index.ts';
import type { Schedule } from '../windows/index.ts';
import { needOf, rampOf, slotP90, type Work } from './need.ts';

const HOUR = 3_600_000;
const always = (hours: number): Schedule => ({
  openings: [{ startMs: 0, endMs: hours * HOUR, lastStartMs: hours * HOUR }],
  ...{ problems: [], isOpen: true, changesAtMs: undefined },
});
const work = (change: Partial<Work> = {}): Work => ({
  ...{ remaining: 5000, slotSeconds: 360, soakSeconds: 0, nowMs: 0, startedMs: 0, deadlineMs: 24 * HOUR },
  ...change,
});

suite('need', () => {
  test('is what the deadline asks for: 5,000 nodes of 6 minutes in a day are 21 at once, 27 with a fifth in reserve', () => {
    assert.equal(needOf(work(), always(100), 100), 21);
    assert.equal(needOf(work(), always(100), 80), 27);
  });

  test('counts only time that is open, without the soaks', () => {
    assert.equal(needOf(work({ soakSeconds: 12 * 3600 }), always(100), 100), 42);
    assert.equal(needOf(work(), always(12), 100), 42);
    assert.equal(needOf(work(), { ...always(1), openings: [] }, 100), Number.POSITIVE_INFINITY);
    assert.equal(needOf(work({ remaining: 0 }), { ...always(1), openings: [] }, 100), 0);
  });

  test('grows with work and soak, shrinks with time', () => {
    const amount = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(
        amount,
        amount,
        fc.integer({ min: 1, max: 48 }),
        fc.integer({ min: 1, max: 48 }),
        (a, b, h, g) => {
          const [few, many] = [Math.min(a, b), Math.max(a, b)];
          const [short, long] = [Math.min(h, g), Math.max(h, g)];
          const of = (remaining: number, hours: number) => needOf(work({ remaining }), always(hours), 80);
          assert.ok(of(few, long) <= of(many, long));
          assert.ok(of(few, short) >= of(few, long));
        },
      ),
    );
  });

  test('a slot is taken to last ten minutes until some were measured, then as nine of ten do', () => {
    assert.equal(slotP90([]), 600);
    assert.equal(slotP90([100, 100]), 600);
    assert.equal(slotP90([900]), 900);
    assert.equal(slotP90([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]), 900);
  });

  test('the ramp doubles with what is good and is halved by each failure', () => {
    const policy = policySpec.parse({ nodeSelector: { matchLabels: { a: 'b' } } });
    assert.deepEqual(
      [0, 1, 3, 7].map((good) => rampOf(policy, good, 0)),
      [1, 2, 4, 8],
    );
    assert.equal(rampOf(policy, 7, 1), 4);
    assert.equal(rampOf(policy, 0, 5), 1);
  });
});

function fleetOf(count: number, policy: Record<string, unknown>): ScriptedFleet {
  const fleet = new ScriptedFleet(Date.UTC(2026, 5, 1, 12));
  for (let index = 0; index < count; index += 1) fleet.addNode({ name: `node-${index}` });
  fleet.addRelease('2');
  fleet.addWindow('nights', { kind: 'Allow', schedule: '0 22 * * *', duration: '4h', drainCutoff: '15m' });
  fleet.addPolicy('workers', { release: '2', topology: { maxUnavailablePerDomain: '100%' }, ...policy });
  return fleet;
}

suite('the deadline (L5)', () => {
  test('a rollout that does not say it is at risk ends in time; one that cannot says so before', () => {
    let inTime = 0;
    let atRisk = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        fc.constantFrom('Gentle', 'Balanced', 'Fastest'),
        fc.integer({ min: 120, max: 580 }),
        (count, hours, share, isNight, mode, slotSeconds) => {
          const fleet = fleetOf(count, {
            ...{ pace: { mode, deadlineHours: { Standard: hours } }, windows: isNight ? ['nights'] : [] },
            capacity: { maxUnavailable: `${share}%`, headroom: { enabled: false } },
            waves: [
              { upTo: '25%', soak: '10m' },
              { upTo: '100%', soak: '0s' },
            ],
          });
          fleet.script = { slotSeconds, fate: 'good' };
          const status = () => fleet.rollout('2')?.status;
          const isEnd = () => status()?.phase === 'Complete';
          fleet.step(1);
          fleet.step(1);
          const deadlineMs = momentMs(status()?.deadline ?? '');
          let wasAtRisk = false;
          while (!isEnd() && !wasAtRisk && fleet.nowMs <= deadlineMs) {
            wasAtRisk ||= (status()?.conditions ?? []).some(
              ({ type, status }) => type === 'DeadlineAtRisk' && status === 'True',
            );
            fleet.step(30);
          }
          if (wasAtRisk) atRisk += 1;
          else inTime += 1;
          assert.ok(
            isEnd() || wasAtRisk,
            `${status()?.counts['Done']} of ${count} done at the deadline, never at risk`,
          );
        },
      ),
      { numRuns: 40 },
    );
    assert.ok(inTime > 5 && atRisk > 5, `${inTime} in time, ${atRisk} at risk: one side was not tried`);
  });

  test('the risk names the smallest bound and settings that suffice, and they do', () => {
    const policy = {
      pace: { mode: 'Fastest', deadlineHours: { Standard: 2 } },
      waves: [{ upTo: '100%', soak: '0s' }],
    };
    const slow = previewRollout(
      fleetOf(100, { ...policy, capacity: { maxUnavailable: '1%' } }).view(),
      'workers',
    );
    assert.equal(slow?.isAtRisk, true);
    assert.match(
      slow?.advice ?? '',
      /maxUnavailable allows 1 .*would suffice: capacity\.maxUnavailable: (\d+)%/,
    );
    const [, share] = /maxUnavailable: (\d+%)/.exec(slow?.advice ?? '') ?? [];
    const fast = previewRollout(
      fleetOf(100, { ...policy, capacity: { maxUnavailable: share } }).view(),
      'workers',
    );
    assert.equal(fast?.isAtRisk, false);
    const [, hours] = /deadlineHours\.Standard: (\d+)/.exec(slow?.advice ?? '') ?? [];
    const later = { ...policy, pace: { mode: 'Fastest', deadlineHours: { Standard: Number(hours) } } };
    const patient = previewRollout(
      fleetOf(100, { ...later, capacity: { maxUnavailable: '1%' } }).view(),
      'workers',
    );
    assert.equal(patient?.isAtRisk, false);
  });

  test('a preview counts the openings it takes: with more at once fewer', () => {
    const policy = (share: string) => ({
      ...{ windows: ['nights'], waves: [{ upTo: '100%', soak: '0s' }], pace: { mode: 'Fastest' } },
      capacity: { maxUnavailable: share, headroom: { enabled: false } },
    });
    const slow = previewRollout(fleetOf(60, policy('2%')).view(), 'workers');
    const fast = previewRollout(fleetOf(60, policy('10%')).view(), 'workers');
    assert.deepEqual([slow?.openingsNeeded, fast?.openingsNeeded], [3, 1]);
    assert.equal(slow?.order.length, 60);
    assert.equal(slow?.hold?.code, 'admit/window');
  });
});
