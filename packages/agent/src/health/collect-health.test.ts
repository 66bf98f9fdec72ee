import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Verdict } from '../checks/check.ts';
import { fakeProbe, soundCluster, soundMember } from '../testing/fake-cluster.ts';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { SOUND_MOUNTS, soundNode } from '../testing/sound-node.ts';
import { collectHealth, healthState } from './collect-health.ts';
import { healthRules } from './rules.ts';

test('collectHealth finds a sound node healthy', async () => {
  const health = await collectHealth(fakeSys(soundNode()), [], undefined, fakeProbe());
  assert.deepEqual(
    health.checks.filter(({ verdict }) => verdict !== 'pass'),
    [],
  );
  assert.equal(health.state, 'healthy');
});

const node = soundNode();
const FAILED = '/usr/bin/systemctl list-units --state=failed --plain --no-legend --no-pager --full';
const CONTAINERD =
  '/usr/bin/systemctl show --no-pager --property=LoadState,ActiveState,SubState containerd.service';

const faults: readonly (readonly [what: string, id: string, state: string, machine: FakeMachine])[] = [
  [
    'a failed unit',
    'units',
    'degraded',
    { ...node, programs: { ...node.programs, [FAILED]: 'a.service loaded failed failed A\n' } },
  ],
  [
    'a dead containerd',
    'containerd',
    'unhealthy',
    {
      ...node,
      programs: { ...node.programs, [CONTAINERD]: 'LoadState=loaded\nActiveState=failed\nSubState=failed\n' },
    },
  ],
  [
    'no containerd',
    'containerd',
    'unhealthy',
    { ...node, programs: { ...node.programs, [CONTAINERD]: 'LoadState=not-found\nActiveState=inactive\n' } },
  ],
  ['a silent systemd', 'units', 'degraded', { ...node, programs: {} }],
  [
    '/var in memory',
    'var-disk',
    'degraded',
    {
      ...node,
      files: { ...node.files, '/proc/1/mountinfo': SOUND_MOUNTS.replace('ext4 /dev/mapper/var', 'tmpfs x') },
    },
  ],
  ['a full /var', 'var-space', 'unhealthy', { ...node, usage: { availableBytes: 49 } }],
  ['no inodes', 'var-space', 'unhealthy', { ...node, usage: { availableInodes: 0 } }],
  ['a clock in the past', 'clock', 'degraded', { ...node, nowMs: Date.UTC(2020, 0, 1) }],
  ['no address', 'network', 'unhealthy', { ...node, addresses: [] }],
  [
    'no memory',
    'memory',
    'degraded',
    { ...node, files: { ...node.files, '/proc/meminfo': 'MemTotal: 100 kB\nMemAvailable: 4 kB\n' } },
  ],
  [
    'memory stalls',
    'memory',
    'degraded',
    {
      ...node,
      files: { ...node.files, '/proc/pressure/memory': 'full avg10=0.00 avg60=10.00 avg300=0.00 total=0\n' },
    },
  ],
  [
    '/var mounted read-only',
    'var-writable',
    'unhealthy',
    {
      ...node,
      files: {
        ...node.files,
        '/proc/1/mountinfo': SOUND_MOUNTS.replace('ext4 /dev/mapper/var rw', 'ext4 /dev/mapper/var ro'),
      },
    },
  ],
  [
    'errors of the file system',
    'var-errors',
    'degraded',
    { ...node, files: { ...node.files, '/sys/fs/ext4/dm-1/errors_count': '3\n' } },
  ],
  [
    'swap',
    'swap',
    'degraded',
    { ...node, files: { ...node.files, '/proc/swaps': 'Filename Type\n/dev/vda9 partition 1 0 -2\n' } },
  ],
  ['a clock far ahead', 'clock', 'degraded', { ...node, nowMs: Date.UTC(2037, 0, 1) }],
  [
    'a corrupted root',
    'root-corruption',
    'unhealthy',
    { ...node, programs: { ...node.programs, '/usr/sbin/dmsetup status root': '0 221184 verity C\n' } },
  ],
];

for (const [what, id, state, machine] of faults) {
  test(`collectHealth tells ${what}: ${state}`, async () => {
    const health = await collectHealth(fakeSys(machine), [], undefined, fakeProbe());
    const check = health.checks.find((one) => one.id === id);
    assert.notEqual(check?.verdict, 'pass');
    assert.notEqual(check?.fix, '');
    assert.equal(health.state, state);
  });
}

test('healthState is healthy only if every check passes', () => {
  const check = fc.record({
    verdict: fc.constantFrom<Verdict[]>('pass', 'fail', 'unknown'),
    critical: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(check), (checks) => {
      const all = checks.length > 0 && checks.every(({ verdict }) => verdict === 'pass');
      assert.equal(healthState(checks) === 'healthy', all);
    }),
  );
});

const soundMachine = soundMember();

test('collectHealth judges a sound control plane healthy, by every rule there is', async () => {
  const health = await collectHealth(fakeSys(soundMachine), [], soundCluster(), fakeProbe());
  const bad = health.checks.filter(({ verdict }) => verdict !== 'pass');
  assert.deepEqual(
    bad.map(({ id, observed }) => `${id}: ${observed}`),
    [],
  );
  const ids = health.checks.map(({ id }) => id);
  for (const { rule } of healthRules) assert.ok(ids.includes(rule.id), rule.id);
  assert.equal(new Set(ids).size, ids.length, 'each rule has a name of its own');
});

test('collectHealth asks a worker nothing that only a control plane can tell', async () => {
  const cluster = soundCluster({
    etcd: () => Promise.reject(new Error('not on a worker')),
    staticPods: () => Promise.reject(new Error('not on a worker')),
  });
  const worker = { ...cluster, member: { ...cluster.member, role: 'worker' as const } };
  const health = await collectHealth(fakeSys(soundMachine), [], worker, fakeProbe());
  assert.equal(health.state, 'healthy');
  assert.ok(!health.checks.some(({ id }) => id.startsWith('etcd')));
});

test('a cluster that does not answer leaves its rules unknown, and is asked once', async () => {
  let asked = 0;
  const silent = () => {
    asked += 1;
    return Promise.reject(new Error('no answer within 10 s'));
  };
  const cluster = soundCluster({ node: silent, apiServer: silent, etcd: silent, staticPods: silent });
  const health = await collectHealth(fakeSys(soundMachine), [], cluster, fakeProbe());
  const unknown = health.checks.filter(({ verdict }) => verdict === 'unknown').map(({ id }) => id);
  for (const id of ['node-ready', 'api-server', 'version-skew', 'etcd-quorum', 'static-pods'])
    assert.ok(unknown.includes(id), id);
  assert.equal(health.state, 'degraded');
  assert.equal(asked, 4);
});

test('a source that hangs costs its own checks, and not the answer', { timeout: 5_000 }, async () => {
  const cluster = soundCluster({ etcd: () => new Promise(() => {}) });
  const health = await collectHealth(fakeSys(soundMachine), [], cluster, fakeProbe(), 50);
  const bad = health.checks.filter(({ verdict }) => verdict !== 'pass');
  assert.ok(
    bad.length > 0 && bad.every(({ id, verdict }) => id.startsWith('etcd-') && verdict === 'unknown'),
  );
  assert.match(bad[0]?.observed ?? '', /no answer within 50 ms/);
});

test('every rule says what it expects, what is behind a failure, and one action', () => {
  assert.ok(healthRules.length >= 20);
  for (const { rule } of healthRules) {
    assert.match(rule.id, /^[a-z][a-z0-9-]+$/);
    for (const text of [rule.expected, rule.source]) assert.notEqual(text, '', rule.id);
    for (const text of [rule.cause, rule.fix]) assert.match(text, /^\S.{10,}\.$/, rule.id);
  }
});
