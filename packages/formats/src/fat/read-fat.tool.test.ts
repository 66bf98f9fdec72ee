import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { memoryReader } from '../block-reader.ts';
import { readFat } from './read-fat.ts';

let folder = '';
let toolbox: Toolbox;

before(async () => {
  toolbox = await openToolbox();
  folder = await mkdtemp(join(tmpdir(), 'plinth-fat-'));
});
after(() => rm(folder, { recursive: true }));

const contents = {
  'EFI/BOOT/BOOTX64.EFI': Buffer.alloc(100_000, 7),
  'EFI/Linux/plinth_0.1.0_x86-64+3-0.efi': Buffer.alloc(70_001, 9),
  'loader/loader.conf': Buffer.from('timeout 0\n'),
  'loader/empty': Buffer.alloc(0),
};

for (const [bits, sizeMiB] of [
  ['16', 16],
  ['32', 64],
] as const) {
  test(`readFat: finds what mtools wrote to FAT${bits}, names and bytes`, async () => {
    const image = join(folder, `fat${bits}.img`);
    const file = await open(image, 'w');
    await file.truncate(sizeMiB * 2 ** 20);
    await file.close();
    const source = join(folder, `source${bits}`);
    for (const [path, bytes] of Object.entries(contents)) {
      await mkdir(join(source, path, '..'), { recursive: true });
      await writeFile(join(source, path), bytes);
    }
    const binds = [{ host: folder, inside: '/mnt' }];
    await toolbox.run('mkfs.vfat', ['-F', bits, '-S', '512', `/mnt/fat${bits}.img`], { binds });
    const sources = ['EFI', 'loader'].map((name) => `/mnt/source${bits}/${name}`);
    await toolbox.run('mcopy', ['-s', '-i', `/mnt/fat${bits}.img`, ...sources, '::'], { binds });

    const fat = await readFat(memoryReader(await readFile(image)));
    assert.deepEqual(fat.paths, Object.keys(contents).sort());
    for (const [path, bytes] of Object.entries(contents)) {
      assert.deepEqual(Buffer.from(await fat.read(path)), bytes, path);
    }
    await assert.rejects(fat.read('EFI/missing'), isInvalid);
  });
}

const isInvalid = (error: unknown) => error instanceof PlinthError && error.code === 'formats/fat-invalid';

test('readFat refuses what is no FAT', async () => {
  await assert.rejects(readFat(memoryReader(new Uint8Array(4096))), isInvalid);
});
