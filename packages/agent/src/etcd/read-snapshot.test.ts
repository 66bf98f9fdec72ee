import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { readSnapshot, type SnapshotPiece } from './read-snapshot.ts';
import { storeSnapshot } from './store-snapshot.ts';

/** A snapshot as etcd writes it: sectors, then their SHA-256. */
const snapshots = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((seed) => {
  const data = Buffer.alloc(512 * seed.length, seed);
  return Buffer.concat([data, createHash('sha256').update(data).digest()]);
});

function gateway(snapshot: Buffer, pieceBytes: number, chunkBytes: number): AsyncIterable<Buffer> {
  const data = snapshot.subarray(0, Math.max(0, snapshot.length - 32));
  const line = (bytes: Buffer, remaining: number) =>
    `${JSON.stringify({ result: { header: {}, remaining_bytes: `${remaining}`, blob: bytes.toString('base64') } })}\n`;
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += pieceBytes)
    lines.push(line(data.subarray(at, at + pieceBytes), Math.max(0, data.length - at - pieceBytes)));
  lines.push(line(snapshot.subarray(data.length), 0));
  const text = Buffer.from(lines.join(''));
  return (async function* () {
    for (let at = 0; at < text.length; at += chunkBytes) yield text.subarray(at, at + chunkBytes);
  })();
}

async function collect(source: AsyncIterable<SnapshotPiece>): Promise<Buffer> {
  const all: Buffer[] = [];
  let leftBytes: number | undefined;
  for await (const { bytes, remainingBytes } of source) {
    leftBytes ??= bytes.length + remainingBytes;
    leftBytes -= bytes.length;
    assert.equal(remainingBytes, leftBytes);
    all.push(bytes);
  }
  assert.equal(leftBytes, 0);
  return Buffer.concat(all);
}

test('a snapshot comes out as it went in, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      snapshots,
      fc.integer({ min: 1, max: 9000 }),
      fc.integer({ min: 1, max: 9000 }),
      async (snapshot, piece, chunk) => {
        assert.deepEqual(
          await collect(readSnapshot(gateway(snapshot, Math.max(piece, 16), chunk))),
          snapshot,
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('a changed byte or a missing end is noticed', async () => {
  await fc.assert(
    fc.asyncProperty(snapshots, fc.nat(), fc.integer({ min: 1, max: 255 }), async (snapshot, place, flip) => {
      const changed = Buffer.from(snapshot);
      const at = place % changed.length;
      changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
      await assert.rejects(collect(readSnapshot(gateway(changed, 700, 300))), {
        code: 'etcd/snapshot-damaged',
      });
      const cut = snapshot.subarray(0, place % snapshot.length);
      await assert.rejects(collect(readSnapshot(gateway(cut, 700, 300))), { code: 'etcd/snapshot-damaged' });
    }),
    { numRuns: 60 },
  );
});

test('anything else than pieces is refused', async () => {
  for (const text of [
    '{"error":{"message":"no"}}\n',
    'x\n',
    '{"result":{"blob":"*"}}\n',
    'x'.repeat(2_000_000),
  ]) {
    const source = (async function* () {
      yield Buffer.from(text);
    })();
    await assert.rejects(collect(readSnapshot(source)), { code: 'etcd/snapshot-damaged' });
  }
});

async function* pieces(data: Uint8Array, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += bytes) yield data.subarray(at, at + bytes);
}

test('storeSnapshot keeps a whole snapshot and nothing else', async () => {
  const folder = join(await scratchFolder('snapshot'), 'etcd');
  const [snapshot = Buffer.alloc(0)] = fc.sample(snapshots, { numRuns: 1, seed: 1 });
  await storeSnapshot(folder, 'a.db', snapshot.length, pieces(snapshot, 100));
  assert.deepEqual(await readFile(join(folder, 'a.db')), snapshot);
  const damaged = { code: 'etcd/snapshot-damaged' };
  await assert.rejects(storeSnapshot(folder, 'b.db', snapshot.length + 1, pieces(snapshot, 100)), damaged);
  await assert.rejects(storeSnapshot(folder, 'b.db', snapshot.length - 1, pieces(snapshot, 100)), damaged);
  await assert.rejects(storeSnapshot(folder, 'b.db', 0, pieces(snapshot, 100)), damaged);
  await assert.rejects(storeSnapshot(folder, 'b.db', 2 ** 50, pieces(snapshot, 100)), damaged);
  const other = Buffer.from(snapshot).fill(1, 0, 1);
  await assert.rejects(storeSnapshot(folder, 'b.db', other.length, pieces(other, 100)), damaged);
  assert.deepEqual(await readdir(folder), ['a.db']);
});
