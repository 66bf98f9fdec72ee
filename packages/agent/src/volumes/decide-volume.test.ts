import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Volume } from '@plinth/config';
import fc from 'fast-check';
import { parseMountInfo } from '../kernel/mountinfo.ts';
import { type Decision, decideVolume } from './decide-volume.ts';
import type { DiskFact, DisksSeen } from './read-disks.ts';
import { identityOf, isSameDisk, type VolumeRecord } from './records.ts';

const GIB = 1024 ** 3;

function disk(name: string, more: Partial<DiskFact> = {}): DiskFact {
  return {
    ...{
      name,
      device: `254:${name.charCodeAt(2)}`,
      sizeBytes: 10 * GIB,
      serial: `s-${name}`,
      wwid: '',
      path: '',
    },
    ...{ readOnly: false, removable: false, holders: 0, partitions: [], ...more },
  };
}

function withVolume(of: DiskFact, name = 'data'): DiskFact {
  const part = { name: `${of.name}1`, device: `${of.device}1`, label: `plinth-volume-${name}` };
  return { ...of, partitions: [{ ...part, endBytes: of.sizeBytes, holders: 0 }] };
}

const mounted = (device: string, target: string) =>
  parseMountInfo(`36 35 ${device} / ${target} rw,nosuid,nodev,noexec - ext4 /dev/x rw`);

const data: Volume = { name: 'data', disk: { serial: 's-vdb' }, options: [], required: false };
const largest: Volume = { ...data, disk: { largestEmpty: true } };
const system = disk('vda', {
  partitions: [{ name: 'vda1', device: '254:1', label: 'var', endBytes: GIB, holders: 0 }],
});

function decide(volume: Volume, seen: Partial<DisksSeen>, record?: VolumeRecord): string {
  return told(decideVolume(volume, { disks: [], mounts: [], ...seen }, record));
}

function told(decision: Decision): string {
  if (decision.kind === 'refused') return decision.problem.code;
  if (decision.kind === 'make')
    return `make ${decision.candidates.map(({ name }) => name)}${decision.resumed ? ' again' : ''}`;
  return `${decision.kind} ${decision.partition.name}`;
}

test('a volume is made once, mounted where it is, and left alone when it is there', () => {
  assert.equal(decide(data, { disks: [system, disk('vdb'), disk('vdc')] }), 'make vdb');
  const made = withVolume(disk('vdb'));
  assert.equal(decide(data, { disks: [system, made] }), 'mount vdb1');
  const mounts = mounted(made.partitions[0]?.device ?? '', '/var/mnt/data');
  assert.equal(decide(data, { disks: [system, made], mounts }), 'mounted vdb1');
});

test('a volume is found by its label, on whatever disk; that it is another one is told', () => {
  const moved = withVolume(disk('vdz'));
  assert.equal(decide(data, { disks: [moved] }), 'mount vdz1');
  const mounts = mounted(moved.partitions[0]?.device ?? '', '/var/mnt/data');
  const decision = decideVolume(data, { disks: [moved], mounts }, undefined);
  assert.match(decision.kind === 'mounted' ? decision.concern : '', /vdz, which the config does not name/);
});

test('the disk of another volume is not free: one that a document names, or on which another was begun', () => {
  const disks = [system, disk('vdb'), disk('vdc', { sizeBytes: 5 * GIB })];
  const seen = { disks, mounts: [] };
  const other: Volume = { ...largest, name: 'other' };
  const named = { volumes: [data], records: [] };
  assert.equal(told(decideVolume(other, seen, undefined, named)), 'make vdc');
  const begun = (name: string): VolumeRecord => ({ name, state: 'making', disk: identityOf(disk('vdb')) });
  const noted = { volumes: [], records: [begun('data')] };
  assert.equal(told(decideVolume(other, seen, undefined, noted)), 'make vdc');
  // The document came later than the volume that had the disk.
  const taken = decideVolume(data, seen, undefined, { volumes: [other], records: [begun('other')] });
  assert.equal(told(taken), 'volume/disk-unfit');
  assert.match(taken.kind === 'refused' ? taken.problem.message : '', /vdb is that of volume other/);
  // Its own note is no hindrance.
  assert.equal(
    told(decideVolume(data, seen, begun('data'), { volumes: [other], records: [] })),
    'make vdb again',
  );
});

test('the largest empty disk is the largest that is free, fixed and large enough', () => {
  const disks = [
    system,
    disk('vdb', { sizeBytes: GIB }),
    disk('vdc', { sizeBytes: 5 * GIB }),
    disk('vdd', { sizeBytes: 5 * GIB }),
    disk('vde', { sizeBytes: 9 * GIB, removable: true }),
    disk('vdf', { sizeBytes: 9 * GIB, readOnly: true }),
    disk('vdg', { sizeBytes: 9 * GIB, holders: 1 }),
    withVolume(disk('vdh', { sizeBytes: 9 * GIB }), 'other'),
  ];
  assert.equal(decide(largest, { disks }), 'make vdc,vdd,vdb');
  const large: Volume = { ...largest, disk: { largestEmpty: true, minimumSize: '2Gi' } };
  assert.equal(decide(large, { disks }), 'make vdc,vdd');
  const huge: Volume = { ...largest, disk: { largestEmpty: true, minimumSize: '2Ti' } };
  assert.equal(decide(huge, { disks }), 'volume/disk-missing');
});

for (const [what, volume, seen, record, code] of [
  ['no disk is named so', data, { disks: [system, disk('vdc')] }, undefined, 'volume/disk-missing'],
  [
    'two disks have the serial',
    data,
    { disks: [disk('vdb'), disk('vdc', { serial: 's-vdb' })] },
    undefined,
    'volume/disk-ambiguous',
  ],
  [
    'two partitions have the label',
    data,
    { disks: [withVolume(disk('vdb')), withVolume(disk('vdc'))] },
    undefined,
    'volume/disk-ambiguous',
  ],
  [
    'the disk of the system is named',
    { ...data, disk: { serial: 's-vda' } },
    { disks: [system], mounts: mounted('254:1', '/var') },
    undefined,
    'volume/disk-unfit',
  ],
  [
    'the disk has partitions',
    { ...data, disk: { serial: 's-vda' } },
    { disks: [system] },
    undefined,
    'volume/disk-not-empty',
  ],
  [
    'the disk is too small',
    { ...data, disk: { serial: 's-vdb', minimumSize: '11Gi' } },
    { disks: [disk('vdb')] },
    undefined,
    'volume/disk-too-small',
  ],
  [
    'the disk is read-only',
    data,
    { disks: [disk('vdb', { readOnly: true })] },
    undefined,
    'volume/disk-unfit',
  ],
  [
    'something else is mounted there',
    data,
    { disks: [withVolume(disk('vdb'))], mounts: mounted('8:1', '/var/mnt/data') },
    undefined,
    'volume/place-taken',
  ],
  [
    'it was made and its disk is gone, though another would fit',
    largest,
    { disks: [disk('vdc')] },
    { name: 'data', state: 'made', disk: identityOf(disk('vdb')) },
    'volume/disk-lost',
  ],
  [
    'its disk was pulled out below its mount',
    data,
    { disks: [], mounts: mounted('254:99', '/var/mnt/data') },
    { name: 'data', state: 'made', disk: identityOf(disk('vdb')) },
    'volume/disk-lost',
  ],
  [
    'it was begun on a disk that is gone, though another would fit',
    largest,
    { disks: [disk('vdc')] },
    { name: 'data', state: 'making', disk: identityOf(disk('vdb')) },
    'volume/disk-lost',
  ],
] as const) {
  test(`a volume is refused when ${what}`, () => assert.equal(decide(volume, seen, record), code));
}

test('what was cut off in the middle goes on, on the same disk', () => {
  const record: VolumeRecord = { name: 'data', state: 'making', disk: identityOf(disk('vdb')) };
  const disks = [disk('vdb', { sizeBytes: 10 * GIB }), disk('vdc', { sizeBytes: 20 * GIB })];
  assert.equal(decide(largest, { disks }, record), 'make vdb again');
});

test('a disk without serial and WWID is known by its path and size only', () => {
  const nameless = { serial: '', wwid: '', path: 'pci-1', sizeBytes: 1 };
  assert.equal(isSameDisk(nameless, nameless), true);
  assert.equal(isSameDisk(nameless, { ...nameless, path: 'pci-2' }), false);
  assert.equal(isSameDisk({ ...nameless, path: '' }, { ...nameless, path: '' }), false);
});

const anyDisk = fc.record({
  name: fc.constantFrom('vda', 'vdb', 'vdc', 'vdd'),
  sizeBytes: fc.constantFrom(GIB, 2 * GIB, 3 * GIB),
  serial: fc.constantFrom('', 'A', 'B'),
  readOnly: fc.boolean(),
  removable: fc.boolean(),
  holders: fc.constantFrom(0, 0, 1),
  label: fc.constantFrom(undefined, undefined, 'var', 'plinth-volume-data', 'plinth-volume-other'),
  mountedAt: fc.constantFrom(undefined, undefined, '/var', '/var/mnt/data', '/var/mnt/other'),
});

test('whatever disks there are: only free disks without partitions are ever made into a volume, and never one that was', () => {
  const volumes = fc.constantFrom<Volume>(
    { ...data, disk: { serial: 'A' } },
    { ...data, disk: { largestEmpty: true, minimumSize: '2Gi' } },
  );
  const states = fc.constantFrom(undefined, 'making', 'made');
  const kinds = new Set<string>();
  fc.assert(
    fc.property(
      fc.uniqueArray(anyDisk, { selector: ({ name }) => name }),
      volumes,
      states,
      (all, volume, state) => {
        const disks = all.map(({ label, mountedAt: _, ...each }) =>
          disk(each.name, {
            ...each,
            partitions:
              label === undefined
                ? []
                : [{ name: `${each.name}1`, device: `${each.name}:1`, label, endBytes: GIB, holders: 0 }],
          }),
        );
        const mounts = all.flatMap(({ name, label, mountedAt }) =>
          mountedAt === undefined
            ? []
            : mounted(label === undefined ? `254:${name.charCodeAt(2)}` : `${name}:1`, mountedAt),
        );
        const [first] = disks;
        const record = state && first && ({ name: 'data', state, disk: identityOf(first) } as const);
        const decision = decideVolume(volume, { disks, mounts }, record);
        kinds.add(told(decision).split(' ')[0] ?? '');
        if (decision.kind === 'mount') assert.equal(decision.partition.label, 'plinth-volume-data');
        if (decision.kind !== 'make') return;
        assert.notEqual(state, 'made');
        for (const each of decision.candidates) {
          assert.deepEqual([each.partitions, each.holders, each.readOnly], [[], 0, false]);
          assert.ok(!mounts.some(({ device }) => device === each.device));
          if (state === 'making') assert.equal(each.serial, first?.serial);
          else if (volume.disk.largestEmpty) assert.ok(!each.removable && each.sizeBytes >= 2 * GIB);
          else assert.equal(each.serial, 'A');
        }
        assert.ok(
          !disks.some(({ partitions }) => partitions.some(({ label }) => label === 'plinth-volume-data')),
        );
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(kinds.size >= 6, [...kinds].join());
});
