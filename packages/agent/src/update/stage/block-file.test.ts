import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openBlockFile } from './block-file.ts';
import { writeBehind } from './write-behind.ts';

const folder = await mkdtemp(join(tmpdir(), 'plinth-block-'));
after(() => rm(folder, { recursive: true, force: true }));
const path = join(folder, 'disk');
const BLOCK = 4096;
const PIECE = 256 * 1024;
const MIB = 1024 * 1024;

/** Bytes that tell where they belong. */
function numbered(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 8) {
    bytes.writeUInt32LE(at, at);
    bytes.writeUInt32LE(seed, at + 4);
  }
  return bytes;
}

test('what is written past the page cache is in the file, and what is in the file is read', async () => {
  const content = numbered(4 * MIB, 1);
  await writeFile(path, content, { flush: true });
  const file = await openBlockFile({ path, writable: true, startBytes: MIB, sizeBytes: 2 * MIB });
  assert.ok(Buffer.from(await file.read(0, PIECE)).equals(content.subarray(MIB, MIB + PIECE)));
  assert.ok(Buffer.from(await file.read(BLOCK, MIB)).equals(content.subarray(MIB + BLOCK, 2 * MIB + BLOCK)));
  const fresh = numbered(MIB, 2);
  await file.write(BLOCK, fresh);
  await file.write(0, fresh.subarray(0, 512));
  await file.flush();
  await file.close();
  const expected = Buffer.from(content);
  fresh.copy(expected, MIB + BLOCK);
  fresh.copy(expected, MIB, 0, 512);
  assert.ok((await readFile(path)).equals(expected));
});

test('nothing outside of the part, nothing through a file that is for reading', async () => {
  const file = await openBlockFile({ path, writable: false, startBytes: MIB, sizeBytes: MIB });
  for (const [offset, length] of [
    [-BLOCK, BLOCK],
    [0, MIB + BLOCK],
    [MIB, BLOCK],
  ] as const) {
    await assert.rejects(file.read(offset, length));
  }
  await assert.rejects(file.write(0, Buffer.alloc(BLOCK)), /for reading only/);
  await file.close();
});

test('a read stays as it is while the next one, a write and a flush are under way', async () => {
  const content = numbered(24 * MIB, 3);
  await writeFile(path, content, { flush: true });
  const file = writeBehind(await openBlockFile({ path, writable: true, sizeBytes: content.length }));
  // Moves the second half to the front in pieces, as staging does within a slot; it flushes on the way.
  const half = content.length / 2;
  let ahead = file.read(half, PIECE);
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < half; at += PIECE) {
      const bytes = await ahead;
      ahead = file.read(half + ((at + PIECE) % half), PIECE);
      await file.write(at, bytes);
    }
  }
  await ahead;
  await file.flush();
  await file.close();
  const expected = Buffer.concat([content.subarray(half), content.subarray(half)]);
  assert.ok((await readFile(path)).equals(expected));
});
