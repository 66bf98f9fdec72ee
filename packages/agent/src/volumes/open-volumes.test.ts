import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Volume } from '@plinth/config';
import { type CheckResult, runCheck } from '../checks/check.ts';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import { type ModelDisk, type ModelMachine, modelMachine } from './model-machine.testing.ts';
import { openVolumes, type Volumes } from './open-volumes.ts';

const MIB = 1024 * 1024;
const empty = (serial: string, more: Partial<ModelDisk> = {}): ModelDisk => ({
  sizeBytes: 256 * MIB,
  serial,
  ...more,
});
const data: Volume = { name: 'data', disk: { serial: 'A' }, options: [], required: true };
const largest: Volume = { ...data, disk: { largestEmpty: true } };

function keptStore(): StateStore {
  return { ...memoryStore(''), volatileBecause: undefined };
}

interface Running extends Volumes {
  readonly said: string[];
  wanted: readonly Volume[];
  stop(): Promise<void>;
}

function start(machine: ModelMachine, wanted: readonly Volume[], store = keptStore()): Running {
  const end = new AbortController();
  const said: string[] = [];
  const running = { said, wanted };
  const volumes = openVolumes({
    ...{ sys: machine.sys, store, signal: end.signal, tickMs: 2 },
    console: { say: (line) => void said.push(line) },
    wanted: () => running.wanted,
    settled: () => true,
  });
  return Object.assign(running, volumes, {
    async stop() {
      end.abort();
      await volumes.ended;
    },
  });
}

/** Looks until the check is as wanted. */
async function until(
  running: Running,
  machine: ModelMachine,
  id: string,
  verdict: string,
): Promise<CheckResult> {
  const spec = running.checks.find((each) => each.id === id);
  assert.ok(spec);
  for (let tries = 0; ; tries++) {
    const result = await runCheck(spec, machine.sys);
    if (result.verdict === verdict) return result;
    assert.ok(tries < 1000, `${id} is ${result.verdict}: ${result.observed}\n${running.said.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const GOOD = ['make vdb data', 'check vdb1', 'mount data'];

test('a volume is made, checked and mounted, once; a later start finds it', async () => {
  const machine = modelMachine({ vda: empty('S', { label: 'var' }), vdb: empty('A'), vdc: empty('B') });
  const store = keptStore();
  const first = start(machine, [data], store);
  await first.beforeWorkloads();
  assert.match((await until(first, machine, 'required-volumes', 'pass')).observed, /data mounted/);
  assert.match((await until(first, machine, 'volumes', 'pass')).observed, /none/);
  await first.stop();
  assert.deepEqual(machine.done, GOOD);
  machine.mounts.clear();
  const second = start(machine, [data], store);
  await second.beforeWorkloads();
  await second.stop();
  assert.deepEqual(machine.done, [...GOOD, 'check vdb1', 'mount data']);
});

test('a disk that has grown is filled before it is mounted', async () => {
  const machine = modelMachine({
    vdb: empty('A', { label: 'plinth-volume-data', partitionBytes: 100 * MIB }),
  });
  const running = start(machine, [data]);
  await running.beforeWorkloads();
  await running.stop();
  assert.deepEqual(machine.done, ['grow vdb', 'check vdb1', 'mount data']);
});

test('cut off before or after any step, it is finished by the next start, on the same disk', async () => {
  for (let at = 0; at < 2 * (GOOD.length + 1); at++) {
    const machine = modelMachine({ vdb: empty('A'), vdc: empty('B') });
    const store = keptStore();
    let moments = 0;
    // Like power: nothing after it happens in that process.
    machine.interrupt = () => {
      if (moments++ >= at) throw new Error('cut off');
    };
    const first = start(machine, [largest], store);
    await until(first, machine, 'required-volumes', 'fail');
    await first.stop();
    machine.interrupt = () => {};
    // What was half written is no zeros any more.
    if (machine.disks.get('vdb')?.label === undefined)
      Object.assign(machine.disks.get('vdb') ?? {}, { dirtyAt: 20 * MIB });
    const second = start(machine, [largest], store);
    await second.beforeWorkloads();
    await second.stop();
    const made = machine.done.filter((each) => each.startsWith('make'));
    assert.deepEqual([...new Set(made)], ['make vdb data'], `cut off at ${at}: ${machine.done}`);
    assert.equal(machine.mounts.get('/var/mnt/data'), 'vdb1');
    assert.equal(machine.disks.get('vdc')?.label, undefined);
  }
});

test('a volume whose disk is gone is not made anew, and workloads wait until it is there', async () => {
  const machine = modelMachine({ vdb: empty('A'), vdc: empty('B', { sizeBytes: 512 * MIB }) });
  const store = keptStore();
  const first = start(machine, [largest], store);
  await first.beforeWorkloads();
  await first.stop();
  const disk = machine.disks.get('vdc');
  assert.ok(disk?.label);
  machine.disks.delete('vdc');
  machine.mounts.clear();
  const second = start(machine, [largest], store);
  let started = false;
  const workloads = second.beforeWorkloads().then(() => {
    started = true;
  });
  assert.match(
    (await until(second, machine, 'required-volumes', 'fail')).observed,
    /serial B, which is not there/,
  );
  assert.deepEqual([started, machine.disks.get('vdb')?.label], [false, undefined]);
  machine.disks.set('vdz', disk);
  await workloads;
  await second.stop();
  assert.equal(machine.mounts.get('/var/mnt/data'), 'vdz1');
});

for (const [what, disk, said] of [
  ['a file system', { signature: 'xfs' }, /vdb: it carries data of the kind xfs/],
  ['data of no known kind', { dirtyAt: 3 * MIB }, /there is data at byte 3145728/],
  ['partitions', { label: 'windows' }, /vdb has partitions/],
] as const) {
  test(`a disk with ${what} is left as it is`, async () => {
    const machine = modelMachine({ vdb: empty('A', disk) });
    const running = start(machine, [data]);
    assert.match((await until(running, machine, 'required-volumes', 'fail')).observed, said);
    await running.stop();
    assert.deepEqual(machine.done, []);
    assert.equal(
      running.said.filter((line) => line.includes('volume/disk-not-empty')).length,
      1,
      'said once',
    );
  });
}

test('of disks of the largest empty kind one that is not empty is passed over', async () => {
  const machine = modelMachine({ vdb: empty('A', { sizeBytes: 512 * MIB, dirtyAt: 0 }), vdc: empty('B') });
  const running = start(machine, [largest]);
  await running.beforeWorkloads();
  await running.stop();
  assert.deepEqual(machine.done[0], 'make vdc data');
});

test('without a place for the note nothing is made, but what is there is mounted', async () => {
  const volatile = memoryStore('/var is in memory');
  const machine = modelMachine({ vdb: empty('A') });
  const running = start(machine, [data], volatile);
  assert.match((await until(running, machine, 'required-volumes', 'fail')).observed, /\/var is in memory/);
  Object.assign(machine.disks.get('vdb') ?? {}, { label: 'plinth-volume-data' });
  await running.beforeWorkloads();
  await running.stop();
  assert.deepEqual(machine.done, ['check vdb1', 'mount data']);
});

test('notes that cannot be read are not taken for none', async () => {
  const store = keptStore();
  await store.write('volumes.json', Buffer.from('{"version":2}'));
  const machine = modelMachine({ vdb: empty('A') });
  const running = start(machine, [data], store);
  await until(running, machine, 'required-volumes', 'unknown');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { observed, fix } = await until(running, machine, 'required-volumes', 'unknown');
  assert.match(observed, /^Cannot read the notes of volumes: volumes.json is not of their shape/);
  assert.match(fix, /plinth reset/);
  await running.stop();
  assert.deepEqual(machine.done, []);
  assert.equal(running.said.filter((line) => line.endsWith('[volume/notes-damaged]')).length, 1);
});

for (const [exitCode, code] of [
  [4, 'volume/damaged'],
  [12, 'volume/damaged'],
  [8, 'volume/failed'],
  [226, 'volume/failed'],
] as const) {
  test(`a file system that e2fsck leaves with ${exitCode} is not mounted: ${code}`, async () => {
    const machine = modelMachine({ vdb: empty('A', { label: 'plinth-volume-data', e2fsck: exitCode }) });
    const running = start(machine, [data]);
    const { observed } = await until(running, machine, 'required-volumes', 'fail');
    assert.match(observed, new RegExp(`plinth-volume-data\\.service ended with ${exitCode}, expected 0`));
    await running.stop();
    assert.ok(running.said.some((line) => line.endsWith(`[${code}]`)));
    assert.equal(machine.done.includes('mount data'), false);
  });
}

test('a document that goes unmounts; what is in use stays and is told; one that comes back finds its data', async () => {
  const machine = modelMachine({ vdb: empty('A') });
  const running = start(machine, [data]);
  await running.beforeWorkloads();
  const disk = machine.disks.get('vdb');
  assert.ok(disk);
  disk.busy = true;
  running.wanted = [];
  assert.match(
    (await until(running, machine, 'volumes', 'fail')).observed,
    /data is in use and still mounted/,
  );
  disk.busy = false;
  await until(running, machine, 'volumes', 'pass');
  assert.equal(machine.mounts.size, 0);
  assert.equal(disk.label, 'plinth-volume-data');
  running.wanted = [data];
  await running.beforeWorkloads();
  await running.stop();
  assert.deepEqual(
    machine.done.filter((each) => each.startsWith('make')),
    ['make vdb data'],
  );
});

test('a mount without the options of the config is told', async () => {
  const machine = modelMachine({ vdb: empty('A') });
  machine.options.set('/var/mnt/data', 'nosuid,nodev');
  const running = start(machine, [data]);
  assert.match(
    (await until(running, machine, 'required-volumes', 'fail')).observed,
    /data: it lacks noexec until a reboot/,
  );
  await running.stop();
});

test('mounts of others below the folder of volumes are not touched', async () => {
  const machine = modelMachine({ vdb: empty('A', { label: 'backup' }) });
  machine.mounts.set('/var/mnt/mine', 'vdb1');
  const running = start(machine, []);
  await until(running, machine, 'volumes', 'pass');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await running.stop();
  assert.deepEqual(machine.done, []);
});
