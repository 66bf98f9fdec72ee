import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@plinth/host/testing';
import type { KubeAnswer, KubeConnection, KubeRequest } from '@plinth/kube';
import { holdLease } from './hold-lease.ts';
import { LEASE_TIMES, leaseSpec, mayTake, observe, readLease } from './judge-lease.ts';

const seen = readLease({
  metadata: { resourceVersion: '7' },
  spec: {
    holderIdentity: 'other',
    leaseDurationSeconds: 10,
    renewTime: '2000-01-01T00:00:00.000000Z',
    leaseTransitions: 3,
  },
});

suite('lease', () => {
  test('a holder has its whole time from when this process first saw its last renewal, whatever the clocks say', () => {
    const since = observe(undefined, seen, 1_000);
    assert.equal(mayTake(seen, since, 'self', 11_000), false);
    assert.equal(mayTake(seen, since, 'self', 11_001), true);
    const renewed = observe(since, { ...seen, resourceVersion: '8' }, 9_000);
    assert.equal(mayTake(seen, renewed, 'self', 11_001), false);
  });

  test('one that was let go of, or is one’s own, is to be had at once', () => {
    const since = observe(undefined, seen, 0);
    assert.equal(mayTake({ ...seen, holder: '' }, since, 'self', 0), true);
    assert.equal(mayTake({ ...seen, holder: 'self' }, since, 'self', 0), true);
  });

  test('a change of hands is counted, a renewal and letting go are not', () => {
    const transitions = (holder: string) =>
      (leaseSpec(holder, seen, new Date(0), LEASE_TIMES) as { leaseTransitions: number }).leaseTransitions;
    assert.deepEqual([transitions('self'), transitions('other'), transitions('')], [4, 3, 3]);
  });

  test('the one that leads stops before another may begin', () => {
    assert.ok(LEASE_TIMES.renewDeadlineMs + 2 * LEASE_TIMES.retryMs < LEASE_TIMES.durationMs);
  });
});

/** A Lease at an API server, with its versions. */
function leaseServer() {
  let held: { version: number; spec: object } | undefined;
  const state = { isAway: false, calls: [] as string[], answersLost: 0 };
  const answer = (status: number, body: object): KubeAnswer => ({
    status,
    text: JSON.stringify(body),
    retryAfterMs: undefined,
  });
  const shown = () => ({ metadata: { resourceVersion: String(held?.version) }, spec: held?.spec });
  const connection: KubeConnection = {
    server: new URL('https://192.0.2.1'),
    async call({ method, body }: KubeRequest) {
      await sleep(1);
      if (state.isAway) throw new Error('it is away');
      state.calls.push(method);
      const { metadata, spec } = (body ?? {}) as { metadata?: { resourceVersion?: string }; spec: object };
      if (method === 'GET') return held ? answer(200, shown()) : answer(404, {});
      if (method === 'POST' ? held : metadata?.resourceVersion !== String(held?.version))
        return answer(409, {});
      held = { version: (held?.version ?? 0) + 1, spec };
      if (method === 'PUT' && state.answersLost > 0) {
        state.answersLost--;
        throw new Error('the answer was lost');
      }
      return answer(200, shown());
    },
    open: () => Promise.reject(new Error('no watch')),
    [Symbol.dispose]: () => undefined,
  };
  /** Somebody else writes it. */
  const take = (holder: string) => {
    held = { version: (held?.version ?? 0) + 1, spec: leaseSpec(holder, undefined, new Date(), LEASE_TIMES) };
  };
  return { connection, state, take, holder: () => readLease({ spec: held?.spec }).holder };
}

const PATIENCE = { patienceMs: 15_000, everyMs: 5 };

suite('holding a lease', () => {
  // Longer than a busy machine lets anybody wait.
  const times = { durationMs: 20_000, renewDeadlineMs: 2_000, retryMs: 20 };
  const candidate = (
    connection: KubeConnection,
    self: string,
    until: Map<string, number>,
    signal: AbortSignal,
    ofIts = times,
  ) =>
    holdLease(
      {
        ...{
          connection,
          namespace: 'n',
          name: 'l',
          self,
          times: ofIts,
          random: () => 0.5,
          say: () => undefined,
        },
        ...{ nowMs: () => performance.now(), wait: (ms: number) => sleep(ms) },
        leading: (untilMs) => void until.set(self, untilMs),
      },
      signal,
    );

  test('of two that try, one leads at any moment; it lets go, and the other takes over at once', async () => {
    const server = leaseServer();
    const until = new Map<string, number>();
    const stops = [new AbortController(), new AbortController()] as const;
    const runs = stops.map((stop, index) => candidate(server.connection, `c${index}`, until, stop.signal));
    await eventually(() => until.size > 0, PATIENCE);
    await sleep(100);
    const leading = [...until.keys()];
    assert.equal(leading.length, 1);
    const first = leading[0] === 'c0' ? 0 : 1;
    stops[first].abort();
    assert.equal(await runs[first], 'released');
    await eventually(() => server.holder() === `c${1 - first}`, PATIENCE);
    stops[1 - first]?.abort();
    await Promise.all(runs);
    assert.equal(server.holder(), '');
  });

  test('one that cannot renew has lost the lease when its own time is over', async () => {
    const server = leaseServer();
    const until = new Map<string, number>();
    const run = candidate(server.connection, 'c', until, new AbortController().signal);
    await eventually(() => until.has('c'), PATIENCE);
    server.state.isAway = true;
    assert.equal(await run, 'lost');
    assert.ok(performance.now() >= (until.get('c') ?? Number.NaN));
  });

  test('a renewal is one call; one whose answer was lost is found again, and one that somebody took is lost', async () => {
    const server = leaseServer();
    const until = new Map<string, number>();
    const slow = { durationMs: 120_000, renewDeadlineMs: 60_000, retryMs: 5 };
    const run = candidate(server.connection, 'c', until, new AbortController().signal, slow);
    await eventually(() => until.has('c'), { ...PATIENCE, patienceMs: 50_000 });
    server.state.calls = [];
    await eventually(() => server.state.calls.length >= 5, { ...PATIENCE, patienceMs: 50_000 });
    assert.deepEqual(new Set(server.state.calls), new Set(['PUT']));
    server.state.answersLost = 1;
    await eventually(() => server.state.calls.includes('GET'), { ...PATIENCE, patienceMs: 50_000 });
    server.state.calls = [];
    await eventually(() => server.state.calls.length >= 5, { ...PATIENCE, patienceMs: 50_000 });
    server.take('other');
    assert.equal(await run, 'lost');
    assert.equal(server.holder(), 'other');
  });
});
