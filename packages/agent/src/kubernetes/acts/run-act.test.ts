import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { memoryStore, type StateStore } from '../../sys/state-store.ts';
import type { Plan, Step } from './act.ts';
import { openActQueue } from './act-queue.ts';

/** The machine below an act: effects stay when plinthd is killed. */
interface Machine {
  readonly effects: string[];
  /** Where the next run of a step is cut off: before its effect, after it, or not at all. */
  cut: { step: string; when: 'before' | 'after'; how: 'kill' | 'fail' } | undefined;
}

const NAMES = ['choose', 'merge', 'write', 'init', 'addons', 'wait'];

/** A plan of steps that each have one effect; those with a marker know when they are done, others do it again. */
function planOn(machine: Machine, kill: () => Promise<never>, marked: ReadonlySet<string>): Plan {
  const steps = NAMES.map((name): Step => {
    const cutOff = async (when: 'before' | 'after') => {
      const { cut } = machine;
      if (cut?.step !== name || cut.when !== when) return;
      machine.cut = undefined;
      if (cut.how === 'kill') await kill();
      throw new PlinthError('kubernetes/unit-failed', `Cannot run ${name}: a test, expected it`);
    };
    return {
      name,
      title: name,
      isDone: async () => marked.has(name) && machine.effects.includes(name),
      run: async ({ earlierAttempts }) => {
        await cutOff('before');
        // As reset before a second init: what an earlier try has left is taken away.
        if (earlierAttempts > 0)
          machine.effects.splice(0, machine.effects.length, ...machine.effects.filter((e) => e !== name));
        machine.effects.push(name);
        await cutOff('after');
      },
    };
  });
  return { kind: 'bootstrap', steps };
}

/** One life of plinthd; ends with the act or when it is killed. */
async function live(store: StateStore, machine: Machine, marked: ReadonlySet<string>, begin: boolean) {
  const stopping = new AbortController();
  let killed = () => {};
  const dead = new Promise<void>((resolve) => {
    killed = resolve;
  });
  const kill = () => {
    stopping.abort();
    killed();
    return new Promise<never>(() => {}); // a killed process does nothing more
  };
  const lines: string[] = [];
  const queue = await openActQueue({
    store,
    console: { say: (line) => lines.push(line) },
    nowMs: () => 1,
    signal: stopping.signal,
  });
  const plan = planOn(machine, kill, marked);
  if (begin) await queue.begin(plan, { of: 'a test' });
  else queue.resume(() => plan);
  await Promise.race([queue.idle(), dead]);
  return { queue, lines };
}

const cuts = fc.array(
  fc.record({
    step: fc.constantFrom(...NAMES),
    when: fc.constantFrom('before' as const, 'after' as const),
    how: fc.constantFrom('kill' as const, 'fail' as const),
  }),
  { maxLength: 8 },
);

test('wherever it is killed or fails, going on leads to the same end', async () => {
  await fc.assert(
    fc.asyncProperty(cuts, fc.subarray(NAMES), async (cutList, marked) => {
      const store = memoryStore('a test');
      const machine: Machine = { effects: [], cut: undefined };
      let { queue } = await live(store, { ...machine, cut: undefined }, new Set(marked), false);
      let begin = true;
      for (const cut of [...cutList, undefined]) {
        if (queue.current()?.state === 'done') break;
        machine.cut = cut;
        ({ queue } = await live(store, machine, new Set(marked), begin));
        begin = queue.current()?.state === 'failed';
      }
      const act = queue.current();
      assert.equal(act?.state, 'done');
      assert.deepEqual(
        act.steps.map(({ state }) => state),
        NAMES.map(() => 'done'),
      );
      assert.deepEqual(machine.effects, NAMES);
    }),
    { numRuns: 200 },
  );
});

test('a failure is on the record and on the console, with its code and hint', async () => {
  const store = memoryStore('a test');
  const machine: Machine = { effects: [], cut: { step: 'init', when: 'before', how: 'fail' } };
  const { queue, lines } = await live(store, machine, new Set(), true);
  const act = queue.current();
  assert.deepEqual([act?.state, act?.failure?.code], ['failed', 'kubernetes/unit-failed']);
  assert.deepEqual(
    act?.steps.map(({ state }) => state),
    ['done', 'done', 'done', 'failed', 'waiting', 'waiting'],
  );
  assert.ok(
    lines.includes('bootstrap failed at init: Cannot run init: a test, expected it [kubernetes/unit-failed]'),
  );
  assert.ok(lines.some((line) => line.includes(act?.failure?.hint ?? 'no hint')));
  const kept = JSON.parse((await store.read('kubernetes/act.json'))?.toString() ?? '{}');
  assert.equal(kept.failure.code, 'kubernetes/unit-failed');
});

test('one act at a time; another kind waits until a failed one is done', async () => {
  const store = memoryStore('a test');
  let finish = () => {};
  const waiting = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const queue = await openActQueue({
    store,
    console: { say: () => {} },
    nowMs: () => 1,
    signal: new AbortController().signal,
  });
  const step = (run: () => Promise<void>): Step => ({
    name: 'only',
    title: 'only',
    isDone: async () => false,
    run,
  });
  await queue.begin({ kind: 'bootstrap', steps: [step(() => waiting)] }, {});
  const refused = (code: string) => (reason: unknown) =>
    reason instanceof PlinthError && reason.code === code;
  await assert.rejects(queue.begin({ kind: 'join', steps: [] }, {}), refused('kubernetes/busy'));
  finish();
  await queue.idle();
  assert.equal(queue.current()?.state, 'done');
  await queue.begin({ kind: 'join', steps: [step(async () => Promise.reject(new Error('no')))] }, {});
  await queue.idle();
  await assert.rejects(queue.begin({ kind: 'upgrade', steps: [] }, {}), refused('kubernetes/act-unfinished'));
  await queue.begin({ kind: 'leave', steps: [] }, {});
  await queue.idle();
  assert.deepEqual([queue.current()?.kind, queue.current()?.state], ['leave', 'done']);
});

test('what was done is taken back where a plan knows how', async () => {
  const store = memoryStore('a test');
  const undone: string[] = [];
  const queue = await openActQueue({
    store,
    console: { say: () => {} },
    nowMs: () => 1,
    signal: new AbortController().signal,
  });
  const steps: Step[] = [
    {
      name: 'one',
      title: 'one',
      isDone: async () => false,
      run: async () => Promise.reject(new Error('no')),
    },
  ];
  await queue.begin({ kind: 'upgrade', steps, undo: async (at) => void undone.push(at) }, {});
  await queue.idle();
  assert.deepEqual([queue.current()?.state, undone], ['reverted', ['one']]);
});

test('a damaged record is not taken for none', async () => {
  const store = memoryStore('a test');
  await store.write('kubernetes/act.json', Buffer.from('{'));
  const opening = openActQueue({
    store,
    console: { say: () => {} },
    nowMs: () => 1,
    signal: new AbortController().signal,
  });
  await assert.rejects(
    opening,
    (reason) => reason instanceof PlinthError && reason.code === 'kubernetes/state-unreadable',
  );
});
