import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attributeRefusals, type LiveNode } from './attribute.ts';
import { makeRefusal, type Refusal } from './refusal.ts';

const BOOT = 1_795_354_000_000;
const container = (id: string, pod: string, createdMs = BOOT) => ({
  ...{ id, namespace: 'apps', pod, name: `${id}-name`, podId: `${pod}-box`, createdMs },
});
const live: LiveNode = {
  processes: [
    { pid: 100, startedMs: BOOT + 1_000, containerId: 'a', unit: '' },
    { pid: 200, startedMs: BOOT + 1_000, containerId: '', unit: 'containerd.service' },
    { pid: 300, startedMs: Number.NaN, containerId: 'a', unit: '' },
    { pid: 400, startedMs: BOOT + 1_000, containerId: 'b', unit: '' },
    { pid: 500, startedMs: BOOT + 1_000, containerId: 'gone', unit: '' },
  ],
  containers: [container('a', 'web'), container('b', 'db', BOOT + 900)],
};

function refusal(pid: number, afterMs: number, level = 's0'): Refusal {
  const context = `system_u:system_r:container_t:${level}`;
  return makeRefusal({
    kind: 'selinux',
    timeMs: BOOT + afterMs,
    enforced: true,
    pid,
    sourceContext: context,
  });
}

function whose(...refusals: Refusal[]): string[] {
  return attributeRefusals(refusals, live).map(({ place, unit }) =>
    place ? `${place.pod}/${place.container}` : unit || 'nobody',
  );
}

test('a living process tells its container, or the unit of the host', () => {
  assert.deepEqual(whose(refusal(100, 5_000), refusal(200, 5_000)), ['web/a-name', 'containerd.service']);
});

test('a number that another process has by now tells nothing', () => {
  assert.deepEqual(whose(refusal(100, -1), refusal(300, 5_000), refusal(999, 5_000)), [
    'nobody',
    'nobody',
    'nobody',
  ]);
});

test('a container that is not listed any more is nobody', () => {
  assert.deepEqual(whose(refusal(500, 5_000)), ['nobody']);
});

test('categories tell the pod, once one of its processes lives, and not for what was before the pod', () => {
  const [one, two] = ['s0:c1,c2', 's0:c3,c4'];
  assert.deepEqual(whose(refusal(400, 5_000, one), refusal(999, 950, one), refusal(999, 899, one)), [
    'db/b-name',
    'db/',
    'nobody',
  ]);
  assert.deepEqual(whose(refusal(400, 5_000, one), refusal(999, 5_000, two)), ['db/b-name', 'nobody']);
});

test('categories of two pods tell nothing', () => {
  const level = 's0:c1,c2';
  assert.deepEqual(
    whose(refusal(100, 5_000, level), refusal(400, 5_000, level), refusal(999, 5_000, level)).at(-1),
    'nobody',
  );
});

test('no process that began after a refusal is ever blamed for it', () => {
  const time = fc.integer({ min: -10_000, max: 10_000 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), time, time, (pid, startedMs, atMs) => {
      const one = { ...live, processes: [{ pid: 2, startedMs, containerId: 'a', unit: '' }] };
      const [found] = attributeRefusals([{ ...refusal(pid, 0), timeMs: atMs }], one);
      assert.equal(found?.place !== undefined, pid === 2 && startedMs <= atMs + 1_000);
    }),
  );
});
