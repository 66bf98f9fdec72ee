import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openToolbox } from '@plinth/toolbox';
import { memoryReader } from '../block-reader.ts';
import { planDropName } from './drop-name.ts';
import { openFat } from './fat-volume.ts';
import { readFat } from './read-fat.ts';

// A rename that a power cut ended, made by hand on what mkfs.vfat and mtools wrote; fsck.fat says whether the outcome is sound.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-drop-'));
after(() => rm(dir, { recursive: true }));
const binds = [{ host: dir, inside: '/mnt/work' }];
const tool = (program: string, ...args: string[]) => toolbox.run(program, args, { binds, cwd: '/mnt/work' });
const folder = ['EFI', 'Linux'];
const content = Buffer.alloc(70_001, 9);

/** A volume on which two names lead to the same clusters; `others` names come before them and move them about in the folder. */
async function withTwoNames(
  bits: '16' | '32',
  kept: string,
  second: string,
  others: number,
): Promise<Buffer> {
  const file = await open(join(dir, 'fat.img'), 'w');
  await file.truncate((bits === '16' ? 16 : 64) * 2 ** 20);
  await file.close();
  await writeFile(join(dir, 'uki'), content);
  await writeFile(join(dir, 'empty'), '');
  await tool('mkfs.vfat', '-F', bits, '-S', '512', '-s', '1', 'fat.img');
  await tool('mmd', '-i', 'fat.img', '::EFI', '::EFI/Linux');
  for (let index = 0; index < others; index++)
    await tool('mcopy', '-i', 'fat.img', 'empty', `::EFI/Linux/O${index}`);
  await tool('mcopy', '-i', 'fat.img', 'uki', `::EFI/Linux/${kept}`);
  await tool('mcopy', '-i', 'fat.img', 'empty', `::EFI/Linux/${second}`);
  const image = await readFile(join(dir, 'fat.img'));
  const names = await listLinux(image);
  const [from, to] = [kept, second].map((name) => names.find((entry) => entry.name === name)?.records.at(-1));
  assert.ok(from !== undefined && to !== undefined);
  // First cluster, high and low half, and size.
  image.copy(image, to + 20, from + 20, from + 22);
  image.copy(image, to + 26, from + 26, from + 32);
  return image;
}

async function listLinux(image: Uint8Array) {
  const volume = await openFat(memoryReader(image));
  const efi = (await volume.list()).find(({ name }) => name === 'EFI');
  const linux = efi && (await volume.list(efi)).find(({ name }) => name === 'Linux');
  assert.ok(linux);
  return volume.list(linux);
}

async function isSound(image: Uint8Array): Promise<boolean> {
  await writeFile(join(dir, 'check.img'), image);
  try {
    await tool('fsck.fat', '-n', '/mnt/work/check.img');
    return true;
  } catch {
    return false;
  }
}

for (const bits of ['16', '32'] as const) {
  for (const others of [0, 5, 11, 13]) {
    test(`one of two names is dropped and the file stays, FAT${bits}, ${others} names before`, async () => {
      const [kept, second] = ['plinth_0.1.0_x86-64.efi', 'plinth_0.1.0_x86-64+2-1.efi'] as const;
      const image = await withTwoNames(bits, kept, second, others);
      assert.ok(!(await isSound(image)), 'fsck.fat finds shared clusters');
      const writes = await planDropName(memoryReader(image), { folder, name: second, keeps: kept });
      assert.ok(writes.length === 1 || writes.length === 2);
      for (const [index, { bytes, offsetBytes }] of writes.entries()) {
        image.set(bytes, offsetBytes);
        const { paths, read } = await readFat(memoryReader(image));
        assert.ok(!paths.includes(`EFI/Linux/${second}`), `after write ${index + 1}`);
        assert.deepEqual(Buffer.from(await read(`EFI/Linux/${kept}`)), content);
      }
      assert.ok(await isSound(image), 'fsck.fat finds nothing more');
      assert.deepEqual(await planDropName(memoryReader(image), { folder, name: second, keeps: kept }), []);
    });
  }
}

test('names of different files, of none, and missing ones are refused', async () => {
  const image = await withTwoNames('16', 'a.efi', 'b.efi', 0);
  await writeFile(join(dir, 'fat.img'), image);
  await tool('mcopy', '-i', 'fat.img', 'uki', '::EFI/Linux/c.efi');
  await tool('mcopy', '-i', 'fat.img', 'empty', '::EFI/Linux/d.efi');
  await tool('mcopy', '-i', 'fat.img', 'empty', '::EFI/Linux/e.efi');
  const reader = memoryReader(await readFile(join(dir, 'fat.img')));
  const refused = (name: string, keeps: string, where: readonly string[] = folder) =>
    assert.rejects(planDropName(reader, { folder: where, name, keeps }), { code: 'formats/fat-invalid' });
  await refused('a.efi', 'c.efi');
  await refused('a.efi', 'missing.efi');
  await refused('a.efi', 'A.EFI');
  await refused('d.efi', 'e.efi');
  await refused('a.efi', 'b.efi', ['EFI', 'Windows']);
  assert.equal((await planDropName(reader, { folder, name: 'A.EFI', keeps: 'b.efi' })).length, 1);
});
