import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { hashFile } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { convertDisk, type DiskFormat, diskFormats } from './convert-disk.ts';

const MIB = 2 ** 20;
const options = { epochSeconds: 1_763_700_000, seed: 'for a test' };
let folder = '';
let toolbox: Toolbox;

before(async () => {
  toolbox = await openToolbox();
  folder = await mkdtemp(join(tmpdir(), 'plinth-convert-'));
  await makeRaw('disk.raw', true);
});
after(() => rm(folder, { recursive: true }));

/** 24 MiB with data at the start, in the middle and at the very end; the rest holes, or zeros that were written. */
async function makeRaw(name: string, sparse: boolean): Promise<string> {
  const path = join(folder, name);
  if (!sparse) await writeFile(path, Buffer.alloc(24 * MIB));
  const file = await open(path, sparse ? 'w' : 'r+');
  await file.truncate(24 * MIB);
  const data = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * at) % 251));
  for (const at of [0, 11 * MIB + 512, 24 * MIB - data.length]) await file.write(data, 0, data.length, at);
  await file.close();
  return path;
}

async function convert(raw: string, format: DiskFormat, name: string): Promise<string> {
  const output = join(folder, `${name}.${format}`);
  await convertDisk(toolbox, raw, format, output, options);
  return output;
}

for (const format of diskFormats) {
  test(`${format}: the same bytes twice, with and without holes in the source`, async () => {
    const first = await hashFile(await convert(join(folder, 'disk.raw'), format, 'same'));
    const dense = await makeRaw('dense.raw', false);
    const second = await hashFile(await convert(dense, format, 'same'));
    assert.deepEqual(second, first);
  });
}

for (const [format, qemuFormat] of [
  ['qcow2', 'qcow2'],
  ['vhd', 'vpc'],
  ['vmdk', 'vmdk'],
] as const) {
  test(`${format}: qemu-img finds the raw disk's content in it`, async () => {
    const name = (await convert(join(folder, 'disk.raw'), format, 'compare')).slice(folder.length);
    const binds = [{ host: folder, inside: '/mnt', readOnly: true }];
    const args = ['compare', '-f', 'raw', '-F', qemuFormat, '/mnt/disk.raw', `/mnt${name}`];
    await toolbox.run('qemu-img', args, { binds });
  });
}

test('raw.zst and gce.tar.gz unpack to the raw disk', async () => {
  const { sha256 } = await hashFile(join(folder, 'disk.raw'));
  const binds = [{ host: folder, inside: '/mnt' }];
  await convert(join(folder, 'disk.raw'), 'raw.zst', 'unpack');
  await toolbox.run('zstd', ['-q', '-d', '/mnt/unpack.raw.zst', '-o', '/mnt/from-zst.raw'], { binds });
  assert.equal((await hashFile(join(folder, 'from-zst.raw'))).sha256, sha256);
  await convert(join(folder, 'disk.raw'), 'gce.tar.gz', 'unpack');
  await writeFile(join(folder, 'unpack.tar'), gunzipSync(await readFile(join(folder, 'unpack.gce.tar.gz'))));
  const list = await toolbox.run('tar', ['-tvf', '/mnt/unpack.tar'], { binds });
  assert.match(list.stdout.toString(), /^-rw-r--r-- root\/root\s+25165824 2025-11-21 04:40 disk\.raw\n$/);
  await toolbox.run('tar', ['-xf', '/mnt/unpack.tar', '-C', '/mnt/', '--transform=s/disk/from-tar/'], {
    binds,
  });
  assert.equal((await hashFile(join(folder, 'from-tar.raw'))).sha256, sha256);
});

test('vhd: fixed, one footer behind a whole number of MiB', async () => {
  const bytes = await readFile(await convert(join(folder, 'disk.raw'), 'vhd', 'shape'));
  assert.equal(bytes.length, 24 * MIB + 512);
  const footer = bytes.subarray(24 * MIB);
  assert.equal(footer.readUInt32BE(60), 2, 'disk type: fixed');
  assert.equal(Number(footer.readBigUInt64BE(48)), 24 * MIB, 'current size');
  assert.equal(footer.readUInt32BE(24), options.epochSeconds - 946_684_800);
});

test('convertDisk refuses a disk that is not a whole number of MiB, and leaves nothing', async () => {
  const odd = join(folder, 'odd.raw');
  await writeFile(odd, Buffer.alloc(MIB + 512));
  const output = join(folder, 'odd.vhd');
  await assert.rejects(
    convertDisk(toolbox, odd, 'vhd', output, options),
    (error) => error instanceof PlinthError && error.code === 'release/disk-format',
  );
  await assert.rejects(readFile(output), { code: 'ENOENT' });
});
