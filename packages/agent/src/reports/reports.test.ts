import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { soundNode } from '../testing/sound-node.ts';
import { parseBootEntry } from './boot-entries.ts';
import { bootPhases, collectBootReport } from './boot-report.ts';
import { collectSlots, groupSlots } from './slots.ts';
import { isStarting } from './system-state.ts';
import { collectVersions, parseContainerdVersion, parseSystemdVersion } from './versions.ts';

test('collectVersions asks each source', async () => {
  assert.deepEqual(await collectVersions(fakeSys(soundNode())), {
    imageId: 'plinth',
    imageVersion: '0.1.0',
    osPrettyName: 'Plinth 0.1.0',
    supportEnd: '2027-11-30',
    kernelRelease: '6.12.107+deb13-cloud-amd64',
    kernelBuild: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.107-1 (2026-11-01)',
    architecture: 'x86_64',
    systemd: '257.13-1~deb13u1',
    containerd: '1.7.24~ds1',
  });
});

test('collectVersions leaves empty what does not answer', async () => {
  const versions = await collectVersions(fakeSys({}));
  assert.deepEqual(new Set(Object.values(versions)), new Set(['']));
});

test('version lines of other shapes', () => {
  assert.equal(parseSystemdVersion('systemd 258'), '258');
  assert.equal(
    parseContainerdVersion('containerd github.com/containerd/containerd/v2 v2.1.9 0123abcd'),
    '2.1.9',
  );
  assert.equal(parseContainerdVersion('something else'), '');
});

test('collectSlots groups partitions and finds the booted slot and entry', async () => {
  const report = await collectSlots(fakeSys(soundNode()));
  assert.deepEqual(
    report.slots.map(({ name, version, booted, partitions }) => ({
      name,
      version,
      booted,
      devices: partitions.map(({ device }) => device).join(' '),
    })),
    [
      { name: 'a', version: '0.1.0', booted: true, devices: 'vda2 vda3 vda4' },
      { name: 'b', version: '', booted: false, devices: 'vda5 vda6 vda7' },
    ],
  );
  assert.deepEqual(
    report.otherPartitions.map(({ role, sizeBytes }) => [role, sizeBytes]),
    [
      ['esp', 134217728],
      ['var', 1073741824],
    ],
  );
  assert.deepEqual(report.bootEntries, [
    {
      file: 'plinth_0.2.0+0-3.efi',
      version: '0.2.0',
      state: 'bad',
      triesLeft: 0,
      triesDone: 3,
      booted: false,
    },
    { file: 'plinth_0.1.0.efi', version: '0.1.0', state: 'good', triesLeft: 0, triesDone: 0, booted: true },
  ]);
  assert.equal(report.espReadable, true);
});

test('collectSlots says when the ESP cannot be read', async () => {
  const machine: FakeMachine = { ...soundNode(), broken: { '/efi/EFI/Linux': 'EIO' } };
  const report = await collectSlots(fakeSys(machine));
  assert.equal(report.espReadable, false);
  assert.equal(report.slots.length, 2);
});

test('groupSlots orders by partition number, not by text', () => {
  const root = (device: string) => ({
    device,
    label: 'plinth_1',
    uuid: '',
    sizeBytes: 1,
    role: 'root' as const,
  });
  const { slots } = groupSlots([root('vda10'), root('vda2')], new Set(['vda10']));
  assert.deepEqual(
    slots.map(({ partitions, booted }) => [partitions[0]?.device, booted]),
    [
      ['vda2', false],
      ['vda10', true],
    ],
  );
});

test('parseBootEntry reads counters', () => {
  const trial = parseBootEntry('plinth_1.4.2_x86-64+2-1.efi', 'plinth_1.4.2_x86-64+3.efi');
  assert.deepEqual(trial && [trial.version, trial.state, trial.triesLeft, trial.triesDone, trial.booted], [
    '1.4.2',
    'trial',
    2,
    1,
    true,
  ]);
  assert.equal(parseBootEntry('loader.conf', ''), undefined);
});

test('parseBootEntry takes any name', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (file, entry) => parseBootEntry(file, entry) !== null));
});

test('collectBootReport tells phases and the slowest units', async () => {
  const report = await collectBootReport(fakeSys(soundNode()));
  assert.deepEqual(report.phases, [
    { name: 'firmware', durationMs: 6500 },
    { name: 'loader', durationMs: 2500 },
    { name: 'kernel', durationMs: 3100 },
    { name: 'initrd', durationMs: 6500 },
    { name: 'userspace', durationMs: 13700 },
  ]);
  assert.equal(report.finished, true);
  assert.deepEqual(report.slowestUnits, [
    { name: 'containerd.service', durationMs: 8500 },
    { name: 'dbus.service', durationMs: 400 },
  ]);
  assert.deepEqual(report.crashRecords, []);
});

test('collectBootReport gives what it can, and names the rest', async () => {
  const sound = soundNode();
  const busy = { ...sound, programs: {}, broken: { '/var/lib/systemd/pstore': 'EIO' } };
  const report = await collectBootReport(fakeSys(busy));
  assert.equal(report.bootId, '0d0c5a0e-1b1f-4c43-9d55-0c0b1f0a2f11');
  assert.equal(report.kernelStartedAtMs, Date.UTC(2026, 10, 21) - 120_500);
  assert.deepEqual([report.phases, report.slowestUnits, report.finished], [[], [], false]);
  assert.deepEqual(report.notObserved, [
    'crash records in /var/lib/systemd/pstore: EIO: /var/lib/systemd/pstore',
    'phases: ENOENT: /usr/bin/systemctl',
    'slowest units: ENOENT: /usr/bin/systemctl',
  ]);
  assert.deepEqual((await collectBootReport(fakeSys(sound))).notObserved, []);
});

test('bootPhases counts a boot that still runs up to now', () => {
  const { phases, finished } = bootPhases(new Map([['UserspaceTimestampMonotonic', '3000000']]), 5_000_000);
  assert.equal(finished, false);
  assert.deepEqual(phases, [
    { name: 'kernel', durationMs: 3000 },
    { name: 'userspace', durationMs: 2000 },
  ]);
});

test('isStarting follows systemd, and gives up after five minutes', async () => {
  const node = soundNode();
  const starting = {
    ...node.programs,
    '/usr/bin/systemctl is-system-running': { exitCode: 1, stdout: 'starting\n', stderr: '' },
  };
  assert.equal(await isStarting(fakeSys(node)), false);
  assert.equal(await isStarting(fakeSys({ ...node, programs: starting })), true);
  const late = { ...node.files, '/proc/uptime': '301.00 1.00\n' };
  assert.equal(await isStarting(fakeSys({ ...node, programs: starting, files: late })), false);
});
