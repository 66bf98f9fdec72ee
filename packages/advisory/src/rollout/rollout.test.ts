import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Observation } from './observation.ts';
import { type RolloutClock, rolloutClocks } from './rollout-clocks.ts';

const ID = 'CVE-2026-35189';
const day = (number: number) => new Date(Date.UTC(2026, 10, 1 + number)).toISOString();
const release = (key: string, verdict: 'open' | 'fixed' | 'not-affected' | 'unknown') => ({
  ...{ key, name: key, createdAt: day(key === 'old' ? -9 : -1), verdicts: { [ID]: verdict } },
  fixAvailableAt: { [ID]: day(-2) },
});
const releases = [release('old', 'open'), release('new', 'fixed'), { ...release('new+1', 'fixed') }];

/** "old new -": what each node runs; "-" does not answer, "?" has no papers. */
function seen(at: number, what: string, more: Partial<Observation> = {}): Observation {
  const words = what.split(' ').map((runs, index) => ({ runs, node: `n${index}` }));
  return {
    ...{ format: 1, at: day(at), scope: 'all', releases },
    nodes: words
      .filter(({ runs }) => runs !== '-')
      .map(({ runs, node }) => ({
        names: [node],
        ...(runs === '?' ? {} : { runs }),
        oldCode: runs === 'new+1' ? ('none' as const) : ('unknown' as const),
      })),
    silent: words.filter(({ runs }) => runs === '-').map(({ node }) => node),
    ...more,
  };
}

function clock(...observations: Observation[]): RolloutClock {
  const [only, ...more] = rolloutClocks(observations);
  assert.deepEqual(more, []);
  assert.ok(only);
  return only;
}

test('shares are reached by what nodes say, each with the instant of its observation', () => {
  const end = clock(
    seen(0, 'old old old old'),
    seen(1, 'new new old old'),
    seen(2, 'new new new -'),
    seen(3, 'new new new new'),
  );
  assert.deepEqual(
    [end.fixAvailableAt, end.publishedAt, end.at50, end.at95, end.at100],
    [day(-2), day(-1), day(1), day(3), day(3)],
  );
  assert.deepEqual(end.oldCode, { state: 'unknown', nodes: 4 });
});

test('a node that is silent, or without papers, does not run the fix; it does not take back what was reached', () => {
  assert.equal(clock(seen(0, 'old old'), seen(1, 'new -')).at100, undefined);
  assert.equal(clock(seen(0, 'old old'), seen(1, 'new ?')).at100, undefined);
  assert.equal(clock(seen(0, 'old old'), seen(1, 'new new'), seen(2, 'new -')).at100, day(1));
  const back = clock(seen(0, 'old old'), seen(1, 'new new'), seen(2, 'new old'), seen(3, 'new new'));
  assert.deepEqual([back.at50, back.at100], [day(1), day(3)]);
});

test('who left does not count, where every node was asked; who was not asked does', () => {
  assert.equal(clock(seen(0, 'old old'), seen(1, 'new')).at100, day(1));
  const some = clock(seen(0, 'old old'), seen(1, 'new', { scope: 'some' }));
  assert.deepEqual([some.done, some.notDone, some.at50, some.at100], [1, 1, day(1), undefined]);
});

test('old code is gone only when every node tells it', () => {
  assert.deepEqual(clock(seen(0, 'old old'), seen(1, 'new+1 new+1')).oldCode, { state: 'gone', at: day(1) });
  assert.equal(clock(seen(0, 'old old'), seen(1, 'new+1 new')).oldCode.state, 'unknown');
  assert.deepEqual(clock(seen(0, 'old old'), seen(1, 'new+1 old')).oldCode, { state: 'mapped', nodes: 1 });
});

test('a node runs the flaw when a Kubernetes layer has it, whatever its image says', () => {
  const layers = (key: string) => (each: Observation['nodes'][number]) => ({ ...each, layers: [key] });
  const at = (day: number, key: string) => {
    const observation = seen(day, 'new new');
    return { ...observation, nodes: observation.nodes.map(layers(key)), releases: [...releases, ...judged] };
  };
  const judged = [release('1.37.1', 'open'), release('1.37.2', 'fixed')];
  const end = clock(at(0, '1.37.1'), at(1, '1.37.2'));
  assert.deepEqual([end.done, end.notDone, end.at100], [2, 0, day(1)]);
  assert.deepEqual([clock(at(0, '1.37.1')).done, clock(at(0, '1.37.1')).notDone], [0, 2]);
  // A layer without papers clears nothing, and takes nothing back.
  assert.equal(clock(seen(0, 'old old'), at(1, 'nobody knows')).done, 2);
});

const observation = fc
  .record({
    at: fc.integer({ min: 0, max: 60 }),
    nodes: fc.array(fc.constantFrom('old', 'new', 'new+1', '-', '?'), { minLength: 1, maxLength: 8 }),
    scope: fc.constantFrom('all' as const, 'some' as const),
  })
  .map(({ at, nodes, scope }) => seen(at, nodes.join(' '), { scope }));
const history = fc.uniqueArray(observation, { minLength: 1, maxLength: 12, selector: ({ at }) => at });

test('property: the same lines in any order give the same clocks, and every instant is one of theirs', () => {
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.nat(1000)), (lines, random) => {
      const clocks = rolloutClocks(lines);
      const mixed = lines
        .map((line) => ({ line, key: Number(random.next().value) }))
        .sort((a, b) => a.key - b.key)
        .map(({ line }) => line);
      assert.deepEqual(rolloutClocks(mixed), clocks);
      const instants = new Set(lines.map(({ at }) => at));
      for (const { at50, at95, at100, oldCode } of clocks) {
        const told = [at50, at95, at100, oldCode.state === 'gone' ? oldCode.at : undefined];
        for (const at of told) assert.ok(at === undefined || instants.has(at));
      }
    }),
  );
});

test('property: a larger share is never reached before a smaller one, and old code never goes before all', () => {
  fc.assert(
    fc.property(history, (lines) => {
      for (const { at50, at95, at100, oldCode, done, notDone, untold } of rolloutClocks(lines)) {
        if (at95 !== undefined) assert.ok(at50 !== undefined && at50 <= at95);
        if (at100 !== undefined) assert.ok(at95 !== undefined && at95 <= at100);
        if (oldCode.state === 'gone') assert.ok(at100 !== undefined && at100 <= oldCode.at);
        if (at100 !== undefined) assert.equal(notDone, 0);
        if (done > 0 && notDone + untold === 0) assert.ok(at100);
      }
    }),
  );
});

test('a thousand nodes, a thousand identifiers and a year of scans are computed in seconds', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `node-${index}`);
  const verdicts = (verdict: 'open' | 'fixed') =>
    Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`CVE-2026-${10_000 + index}`, verdict]));
  const judged = [
    { ...release('old', 'open'), verdicts: verdicts('open') },
    { ...release('new', 'fixed'), verdicts: verdicts('fixed') },
  ];
  const lines = Array.from({ length: 730 }, (_, at): Observation => {
    const split = Math.floor((at / 729) * 1000);
    const groups = [
      { names: names.slice(0, split), runs: 'new', oldCode: 'unknown' as const },
      { names: names.slice(split), runs: 'old', oldCode: 'unknown' as const },
    ];
    return seen(at, '-', {
      ...{ silent: [], releases: at === 0 ? judged : [] },
      nodes: groups.filter((group) => group.names.length > 0),
    });
  });
  const startedMs = performance.now();
  const clocks = rolloutClocks(lines);
  assert.ok(performance.now() - startedMs < 20_000);
  assert.deepEqual([clocks.length, clocks[0]?.at50, clocks[0]?.at100], [1000, day(365), day(729)]);
});
