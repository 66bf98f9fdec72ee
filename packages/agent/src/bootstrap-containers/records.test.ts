import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BootstrapContainer } from '@plinth/config';
import fc from 'fast-check';
import {
  type BootstrapState,
  begun,
  ended,
  essentialFailures,
  isDue,
  isGivenUp,
  MOST_ATTEMPTS,
  NOTHING_RUN,
  passed,
  recordOf,
  stateSchema,
} from './records.ts';

const spec = (more: Partial<BootstrapContainer> = {}): BootstrapContainer => ({
  ...{ name: 'one', image: 'r.example/a@sha256:00', env: [], mounts: [], timeout: '1m' },
  ...{ essential: true, run: 'on-change' },
  ...more,
});

/** What a boot of a machine does, cut off where it says. */
interface Boot {
  readonly version: number;
  /** In the middle of which start it dies; undefined: never. */
  readonly diesAt: 'before' | 'during' | 'after' | undefined;
  readonly exitCode: number;
  /** plinthd starts so many times. */
  readonly starts: number;
}

const boots = fc.array(
  fc.record({
    version: fc.integer({ min: 1, max: 2 }),
    diesAt: fc.constantFrom(undefined, undefined, 'before' as const, 'during' as const, 'after' as const),
    exitCode: fc.constantFrom(0, 0, 1),
    starts: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 12 },
);

/** Runs a life of a machine as openBootstrapContainers does; says what was run and when workloads were let start. */
function live(run: BootstrapContainer['run'], life: readonly Boot[]) {
  let state: BootstrapState = NOTHING_RUN;
  const runs: { boot: number; version: number; whole: boolean; exitCode: number }[] = [];
  const workloads: { boot: number; version: number; runsBefore: number }[] = [];
  life.forEach(({ version, diesAt, exitCode, starts }, index) => {
    const bootId = `boot-${index}`;
    const specs = [spec({ run, args: [String(version)] })];
    for (let at = 0; at < starts; at++) {
      // Storing is what survives: the state goes through its text.
      state = stateSchema.parse(JSON.parse(JSON.stringify(state)));
      const [one] = specs;
      if (one && isDue(one, state, bootId)) {
        if (diesAt === 'before' && at === 0) return;
        state = begun(state, one, { bootId, nowMs: index });
        if (isGivenUp(state, 'one')) {
          state = ended(state, 'one', {
            exitCode: undefined,
            reason: 'cut off',
            output: '',
            durationMs: 1,
            givenUp: true,
          });
        } else {
          if (diesAt === 'during' && at === 0) {
            runs.push({ boot: index, version, whole: false, exitCode });
            return;
          }
          runs.push({ boot: index, version, whole: true, exitCode });
          const reason = exitCode === 0 ? '' : 'failed';
          state = ended(state, 'one', { exitCode, reason, output: '', durationMs: 1 });
          if (diesAt === 'after' && at === 0) return;
        }
      }
      const failed = essentialFailures(specs, state);
      if (failed.length > 0 && state.passedBootId !== bootId) continue;
      state = passed(state, specs, bootId);
      workloads.push({ boot: index, version, runsBefore: runs.length });
    }
  });
  return { runs, workloads, state };
}

test('workloads start only after a run of it ended well, whatever is cut off', () => {
  fc.assert(
    fc.property(fc.constantFrom('once', 'on-change', 'every-boot'), boots, (run, life) => {
      const { runs, workloads } = live(run, life);
      for (const { boot, version, runsBefore } of workloads) {
        const good = runs.slice(0, runsBefore).filter(({ whole, exitCode }) => whole && exitCode === 0);
        assert.ok(good.length > 0, 'none has ended well');
        if (run === 'on-change') assert.equal(good.at(-1)?.version, version);
        if (run === 'every-boot') assert.equal(good.at(-1)?.boot, boot);
      }
    }),
    { numRuns: 3000 },
  );
});

test('what ended well is not run again without a reason', () => {
  fc.assert(
    fc.property(fc.constantFrom('once', 'on-change', 'every-boot'), boots, (run, life) => {
      const { runs } = live(run, life);
      const good = runs.filter(({ whole, exitCode }) => whole && exitCode === 0);
      if (run === 'once') assert.ok(good.length <= 1);
      for (const [index, each] of runs.entries()) {
        const before = runs[index - 1];
        if (!before?.whole || before.exitCode !== 0) continue;
        if (run === 'on-change') assert.notEqual(before.version, each.version);
        if (run === 'every-boot') assert.notEqual(before.boot, each.boot);
      }
    }),
    { numRuns: 3000 },
  );
});

test('one whose start ends the system each time is given up, and tried again once it is another', () => {
  const dying = { version: 1, diesAt: 'during', exitCode: 0, starts: 1 } as const;
  const life: Boot[] = Array.from({ length: MOST_ATTEMPTS + 4 }, () => dying);
  const { runs, state } = live('every-boot', life);
  assert.equal(runs.length, MOST_ATTEMPTS);
  assert.equal(recordOf(state, 'one')?.givenUp, true);
  const after = live('every-boot', [...life, { ...dying, version: 2, diesAt: undefined }]);
  assert.equal(after.runs.length, MOST_ATTEMPTS + 1);
  assert.equal(after.workloads.length, 1);
});

test('a record of a container that is asked for no longer goes', () => {
  const state = ended(begun(NOTHING_RUN, spec(), { bootId: 'b', nowMs: 1 }), 'one', {
    ...{ exitCode: 0, reason: '', output: '', durationMs: 1 },
  });
  assert.equal(passed(state, [], 'b').records.length, 0);
  assert.equal(isDue(spec(), passed(state, [spec()], 'b'), 'b'), false);
});
