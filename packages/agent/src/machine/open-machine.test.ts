import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { memoryStore } from '../sys/state-store.ts';
import type { MachineAct, MachineActKind } from './machine-act.ts';
import { type Machine, openMachine } from './open-machine.ts';

/** A world in which plinthd can be killed, and power be taken, before any of its steps. */
class World {
  boot = 1;
  cordoned = false;
  upMs = 60_000;
  drainDeadlineMs = 0;
  markSet = false;
  wiped = 0;
  pods = 3;
  ended: string[] = [];
  /** Steps that are left until something is cut off. */
  stepsLeft = Number.POSITIVE_INFINITY;
  drainFails = false;
  endFails = false;
  quorum = true;
  store = { ...memoryStore('a test'), volatileBecause: undefined };
  life = new AbortController();

  /** Each step may be the last; what is cut off never goes on. */
  async step<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.life.signal.aborted || this.stepsLeft-- <= 0) {
      this.life.abort();
      return new Promise<T>(() => {});
    }
    await Promise.resolve();
    return work();
  }

  /** The machine starts anew: systemd-repart obeys the mark. */
  start(): void {
    this.life.abort();
    this.boot++;
    if (!this.markSet) return;
    this.markSet = false;
    this.wiped++;
    this.store = { ...memoryStore('a test'), volatileBecause: undefined };
  }

  async open(): Promise<Machine> {
    this.life = new AbortController();
    const { store, life } = this;
    return openMachine({
      store: { ...store, write: async (name, data) => await this.step(() => store.write(name, data)) },
      console: { say: () => {} },
      ...{ nodeName: 'n', bootId: `${this.boot}`, nowMs: () => Date.UTC(2026, 10, 22), signal: life.signal },
      upMs: async () => this.upMs,
      endSystem: (how) =>
        this.step(() => {
          if (this.endFails) throw new PlinthError('machine/act-failed', 'Cannot end');
          this.ended.push(how);
          this.start();
        }),
      resetMark: {
        set: () =>
          this.step(() => {
            this.markSet = true;
          }),
        clear: () =>
          this.step(() => {
            this.markSet = false;
          }),
      },
      drain: {
        isCordoned: () => this.step(() => this.cordoned),
        cordon: () =>
          this.step(() => {
            this.cordoned = true;
          }),
        uncordon: () =>
          this.step(() => {
            this.cordoned = false;
          }),
        isReady: () => this.step(() => true),
        empty: ({ deadlineMs }) =>
          this.step(() => {
            this.drainDeadlineMs = deadlineMs;
            if (this.drainFails) throw new PlinthError('machine/drain-failed', 'Cannot drain');
            this.pods = 0;
          }),
      },
      isHealthy: async () => true,
      mayEnd: async () => {
        if (!this.quorum) throw new PlinthError('machine/quorum-at-risk', 'Cannot end');
        return '';
      },
      sleep: async () => {},
    });
  }

  /** Waits until the act has ended or plinthd was cut off. */
  async settle(machine: Machine): Promise<void> {
    const dead = new Promise<void>((resolve) => {
      if (this.life.signal.aborted) resolve();
      this.life.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([machine.idle(), dead]);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const request = (kind: MachineActKind, drain = false) => ({
  ...{ kind, askedBy: 'a', reason: 'r', override: '' },
  drain: drain ? { timeoutMs: 1000, evictUnmanaged: false } : undefined,
});

/** Starts plinthd, and the machine where it has ended, until nothing is under way. */
async function untilQuiet(world: World): Promise<MachineAct | undefined> {
  for (let round = 0; round < 5; round++) {
    const machine = await world.open();
    await world.settle(machine);
    const act = machine.current();
    if (!world.life.signal.aborted && (!act || act.state === 'done' || act.state === 'failed')) return act;
  }
  throw new Error('it does not come to rest');
}

test('a drained node takes pods again after its reboot, wherever plinthd or the power is cut off', async () => {
  const cases = fc.record({
    cutAfter: fc.nat(12),
    power: fc.boolean(),
    drainFails: fc.boolean(),
    endFails: fc.boolean(),
    byPerson: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ cutAfter, power, drainFails, endFails, byPerson }) => {
      const world = new World();
      Object.assign(world, { drainFails, endFails, cordoned: byPerson, stepsLeft: cutAfter });
      const machine = await world.open();
      const begun = machine.begin(request('reboot', true)).then(() => world.settle(machine));
      await Promise.race([begun, new Promise((resolve) => setTimeout(resolve, 5))]);
      world.stepsLeft = Number.POSITIVE_INFINITY;
      if (power) world.start();
      const act = await untilQuiet(world);
      // What a person has taken out of service stays so, and nothing else.
      assert.equal(world.cordoned, byPerson);
      assert.equal(world.markSet, false);
      if (world.ended.length > 0) assert.equal(world.pods, 0, 'it ended with pods on it');
      if (drainFails) assert.deepEqual(world.ended, []);
      if (act?.state === 'failed') assert.ok(act.failure);
    }),
    { numRuns: 150 },
  );
});

test('a reset wipes once or not at all, and leaves no mark behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(6), fc.boolean(), fc.boolean(), async (cutAfter, power, endFails) => {
      const world = new World();
      Object.assign(world, { stepsLeft: cutAfter, endFails });
      const machine = await world.open();
      const begun = machine.begin(request('reset')).then(() => world.settle(machine));
      await Promise.race([begun, new Promise((resolve) => setTimeout(resolve, 5))]);
      world.stepsLeft = Number.POSITIVE_INFINITY;
      if (power) world.start();
      await untilQuiet(world);
      world.start();
      assert.ok(world.wiped <= 1);
      assert.equal(world.markSet, false);
    }),
    { numRuns: 100 },
  );
});

test('what may not begin changes nothing; what may not end after a drain is taken back', async () => {
  const world = new World();
  world.quorum = false;
  const machine = await world.open();
  await assert.rejects(machine.begin(request('shutdown')), { code: 'machine/quorum-at-risk' });
  assert.equal(machine.current(), undefined);
  world.quorum = true;
  await machine.begin(request('shutdown', true));
  world.quorum = false;
  await world.settle(machine);
  assert.equal(machine.current()?.failure?.code, 'machine/quorum-at-risk');
  assert.deepEqual([world.ended, world.cordoned], [[], false]);
});

test('a drain has its time counted from the start of the boot: a clock that is set does not move it', async () => {
  const world = new World();
  const machine = await world.open();
  await machine.begin(request('reboot', true));
  await world.settle(machine);
  assert.equal(world.drainDeadlineMs, 61_000);
});

test('the next boot knows the act that ended the one before, the one after it does not', async () => {
  const world = new World();
  const first = await world.open();
  await first.begin(request('reboot'));
  await world.settle(first);
  assert.deepEqual(world.ended, ['reboot']);
  const second = await world.open();
  assert.partialDeepStrictEqual(second.ended, { kind: 'reboot', askedBy: 'a', reason: 'r', bootId: '1' });
  assert.equal(second.current()?.state, 'done');
  const third = await world.open();
  assert.equal(third.ended, undefined);
});

test('a stored act that cannot be read is set aside, and the node can be asked again', async () => {
  for (const text of ['', '{', '{"kind":"reboot"}', '[]']) {
    const world = new World();
    await world.store.write('machine/act.json', Buffer.from(text));
    const machine = await world.open();
    assert.equal(machine.current(), undefined);
    await machine.begin(request('reboot'));
    await world.settle(machine);
    assert.deepEqual(world.ended, ['reboot']);
  }
});
