import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { readNoCloud, readOpenStackDrive } from '@plinth/config';
import fc from 'fast-check';
import { systemError } from '../../testing/fake-sys.ts';
import { boundedSource } from './byte-source.ts';
import { openFat } from './fat.ts';
import { findDrive } from './find-drive.ts';
import { openIso9660 } from './iso9660.ts';

// The volumes were made by the programs people make them with; see __fixtures__/make.sh.
const folder = new URL('./__fixtures__/', import.meta.url);
const volumes = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.zst'))
    .map((name) => [name.replace('.img.zst', ''), zstdDecompressSync(readFileSync(new URL(name, folder)))]),
);

function volume(name: string): Buffer {
  const bytes = volumes.get(name);
  assert.ok(bytes, name);
  return bytes;
}

/** A machine with these drives; a text is the code of the error that reading gives. */
function machine(drives: Readonly<Record<string, Buffer | string>>) {
  let read = 0;
  return {
    read: () => read,
    async readDir() {
      return Object.keys(drives).sort();
    },
    async readRange(path: string, offset: number, lengthBytes: number) {
      const drive = drives[path.replace('/dev/', '')];
      if (drive === undefined || typeof drive === 'string') throw systemError(drive ?? 'ENOENT', path);
      read += lengthBytes;
      return drive.subarray(offset, offset + lengthBytes);
    },
  };
}

for (const name of ['iso-localds', 'iso-xorriso', 'iso-plain', 'fat12', 'fat16', 'fat32'])
  test(`a NoCloud drive is read: ${name}`, async () => {
    const found = await findDrive(machine({ vda: Buffer.alloc(70_000), vdb: volume(name) }));
    assert.ok(found.kind === 'given', JSON.stringify(found));
    const { drive } = found;
    assert.deepEqual([drive.kind, drive.device], ['nocloud', 'vdb']);
    assert.match(drive.files['user-data']?.toString() ?? '', /^#cloud-config\nhostname: drive-1\n/);
    const read = readNoCloud(drive.files, 'the drive');
    assert.ok(read.ok, JSON.stringify(read));
    assert.equal(read.value.config.machine.name, 'drive-1');
    const hasNetwork = name !== 'iso-plain';
    assert.deepEqual(
      read.value.config.network?.interfaces.map(({ mac, addresses }) => [mac, ...addresses]),
      hasNetwork ? [['52:54:00:0a:05:0c', '10.78.0.11/24']] : undefined,
    );
  });

for (const name of ['iso-nova', 'fat-nova'])
  test(`a drive of OpenStack is read: ${name}`, async () => {
    const found = await findDrive(machine({ sr0: volume(name) }));
    assert.ok(found.kind === 'given' && found.drive.kind === 'config-2');
    assert.ok(readOpenStackDrive(found.drive.files, 'the drive').ok);
    assert.deepEqual(Object.keys(found.drive.files).sort(), [
      'meta_data.json',
      'network_data.json',
      'user_data',
      'vendor_data.json',
    ]);
  });

test('a machine without a config drive has none, whatever its drives answer', async () => {
  const drives = {
    vda: Buffer.alloc(70_000),
    sr0: 'ENOMEDIUM',
    vdb: 'EIO',
    vdc: 'EPERM',
    vdd: Buffer.alloc(10),
  };
  assert.deepEqual(await findDrive(machine(drives)), { kind: 'none' });
  assert.deepEqual(await findDrive(machine({ loop0: volume('fat12'), 'dm-0': volume('fat12') })), {
    kind: 'none',
  });
});

test('two config drives are a mistake; the first partition of one drive is not', async () => {
  const two = await findDrive(machine({ vdb: volume('fat12'), vdc: volume('iso-nova') }));
  assert.ok(two.kind === 'unusable');
  assert.match(two.why, /vdb and vdc both are config drives, expected one/);
  const alike = async (...devices: string[]) =>
    (await findDrive(machine(Object.fromEntries(devices.map((each) => [each, volume('iso-localds')]))))).kind;
  for (const [drive, part] of [
    ['vdb', 'vdb1'],
    ['nvme0n1', 'nvme0n1p1'],
    ['sr0', 'sr0p1'],
  ] as const)
    assert.equal(await alike(drive, part), 'given', part);
  // Names of drives that begin with the name of another drive.
  for (const [drive, other] of [
    ['sda', 'sdaa'],
    ['nvme0n1', 'nvme0n10'],
  ] as const)
    assert.equal(await alike(drive, other), 'unusable', other);
});

test('a file above the limit, and a chain that leads in a circle, are refused after little is read', async () => {
  const circle = Buffer.from(volume('fat16'));
  // The first FAT begins after the reserved sectors; cluster 2 is the beginning of user-data and leads to itself.
  const fat = circle.readUInt16LE(14) * 512;
  circle.writeUInt16LE(2, fat + 4);
  const root = circle.indexOf('USER-D~1');
  circle.writeUInt32LE(200_000, root + 28);
  const found = await findDrive(machine({ vdb: circle }));
  assert.ok(found.kind === 'given' || found.kind === 'unusable');
  circle.writeUInt32LE(0x7fffffff, root + 28);
  const large = await findDrive(machine({ vdb: circle }));
  assert.ok(large.kind === 'unusable');
  assert.match(large.why, /user-data has 2147483647 bytes, expected at most 262144/);
  const folderCircle = Buffer.from(volume('fat32'));
  const fat32 = folderCircle.readUInt16LE(14) * 512;
  folderCircle.writeUInt32LE(2, fat32 + 8);
  const turning = machine({ vdb: folderCircle });
  await findDrive(turning);
  assert.ok(turning.read() < 9 * 1024 * 1024, `${turning.read()} bytes`);
});

test('a damaged volume ends in an answer, within the budget, whatever is wrong with it', async () => {
  const small = [...volumes].filter(([, bytes]) => bytes.length < 2_000_000);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...small),
      fc.array(fc.tuple(fc.nat({ max: 60_000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 40 }),
      async ([, bytes], changes) => {
        const bent = Buffer.from(bytes);
        for (const [at, value] of changes) bent.writeUInt8(value, at % bent.length);
        const drives = machine({ vdb: bent });
        const found = await findDrive(drives);
        assert.ok(['given', 'none', 'unusable'].includes(found.kind));
        assert.ok(drives.read() <= 8 * 1024 * 1024);
      },
    ),
    { numRuns: 300 },
  );
});

test('noise is no volume', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), async (noise) => {
      const read = async (offset: number, length: number) =>
        Buffer.from(noise).subarray(offset, offset + length);
      for (const open of [openIso9660, openFat])
        await open(boundedSource(read)).then(
          (opened) => opened?.readFile(['user-data'], 1000).catch(() => undefined),
          () => undefined,
        );
    }),
    { numRuns: 300 },
  );
});
