import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { readLimited } from './read-limited.ts';

test('a file within the limit is read, a larger one is refused, and none is none', async () => {
  const folder = await scratchFolder('read-limited');
  const path = join(folder, 'file');
  await writeFile(path, 'abcd');
  const read = (at: string, limitBytes: number) => readLimited(at, limitBytes, 'publish/repository-invalid');
  assert.equal((await read(path, 4))?.toString(), 'abcd');
  await assert.rejects(read(path, 3), { code: 'publish/repository-invalid', message: /has 4 bytes.*most 3/ });
  assert.equal(await read(join(folder, 'none'), 4), undefined);
  assert.equal(await read(join(path, 'below'), 4), undefined);
  await mkdir(join(folder, 'dir'));
  await assert.rejects(read(join(folder, 'dir'), 1 << 20), { code: 'host/io' });
});
