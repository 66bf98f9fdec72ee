import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { memoryReader, readFat, readGpt } from '@plinth/formats';
import { openToolbox } from '@plinth/toolbox';
import { openFileMachine } from '../testing/file-machine.ts';
import { dropName } from './drop-name.ts';

// An ESP as systemd-repart makes it, on which a rename was cut off; the reads and writes are those of a node, past the page cache.

const toolbox = await openToolbox();
const folder = await mkdtemp(join(tmpdir(), 'plinth-drop-'));
after(() => rm(folder, { recursive: true }));
const binds = [{ host: folder, inside: '/mnt/work' }];
const diskPath = join(folder, 'disk');
const [kept, second] = ['plinth_2_x86-64.efi', 'plinth_2_x86-64+2-1.efi'];
const uki = Buffer.alloc(300_001, 7);

async function readEsp() {
  const disk = new Uint8Array(await readFile(diskPath));
  const esp = (await readGpt(memoryReader(disk))).partitions.find(({ typeName }) => typeName === 'esp');
  assert.ok(esp);
  return { offset: esp.offsetBytes, bytes: disk.subarray(esp.offsetBytes, esp.offsetBytes + esp.sizeBytes) };
}

test('a second name of a UKI is dropped on the disk, with the ESP unmounted before', async () => {
  await mkdir(join(folder, 'esp/EFI/Linux'), { recursive: true });
  await writeFile(join(folder, 'esp/EFI/Linux', kept), uki);
  await writeFile(join(folder, 'esp/EFI/Linux', second), '');
  await mkdir(join(folder, 'repart.d'));
  const definition = [
    '[Partition]',
    'Type=esp',
    'Format=vfat',
    'CopyFiles=/esp:/',
    'SizeMinBytes=64M',
    'SizeMaxBytes=64M',
  ];
  await writeFile(join(folder, 'repart.d/10-esp.conf'), `${definition.join('\n')}\n`);
  await toolbox.run(
    'systemd-repart',
    ['--offline=yes', '--empty=create', '--size=80M', '--sector-size=512', '--dry-run=no'].concat([
      '--definitions=/mnt/work/repart.d',
      '--root=/mnt/work',
      '/mnt/work/disk',
    ]),
    { binds },
  );
  const { offset, bytes } = await readEsp();
  // The entry of the empty file gets first cluster and size of the other: both names are there, as after a cut.
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = [...findShortEntries(view)];
  const [from, to] = [uki.length, 0].map((size) => entries.find((at) => view.readUInt32LE(at + 28) === size));
  assert.ok(from !== undefined && to !== undefined);
  const file = await open(diskPath, 'r+');
  await file.write(view.subarray(from + 20, from + 22), 0, 2, offset + to + 20);
  await file.write(view.subarray(from + 26, from + 32), 0, 6, offset + to + 26);
  await file.sync();
  await file.close();
  const both = await readFat(memoryReader((await readEsp()).bytes));
  assert.deepEqual(Buffer.from(await both.read(`EFI/Linux/${second}`)), uki);

  const asked: string[] = [];
  const units = { run: async (verb: string, unit: string) => void asked.push(`${verb} ${unit}`) };
  const booted = { rootNumber: 1, version: '2' };
  const machine = await openFileMachine({ diskPath, espFolder: folder, booted });
  await dropName(machine, units, { name: second, keeps: kept });
  assert.deepEqual(asked, ['stop efi.mount']);
  const { paths, read } = await readFat(memoryReader((await readEsp()).bytes));
  assert.deepEqual(paths, [`EFI/Linux/${kept}`]);
  assert.deepEqual(Buffer.from(await read(`EFI/Linux/${kept}`)), uki);
  await writeFile(join(folder, 'fat'), (await readEsp()).bytes);
  await toolbox.run('fsck.fat', ['-n', '/mnt/work/fat'], { binds });
  // Once more is nothing to do; a name that shares nothing is left alone.
  await dropName(machine, units, { name: second, keeps: kept });
  await assert.rejects(dropName(machine, units, { name: kept, keeps: second }), {
    code: 'formats/fat-invalid',
  });
});

/** Where the entries of both files lie: 8.3 names that begin with PLINTH. */
function* findShortEntries(view: Buffer): Generator<number> {
  for (let at = view.indexOf('PLINTH'); at >= 0; at = view.indexOf('PLINTH', at + 1)) {
    if (at % 32 === 0) yield at;
  }
}
