import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { openFetcher } from '../fetch/fetcher.ts';
import { type Fault, openLyingServer } from '../testing/lying-server.ts';
import { type SampleRelease, sampleBlocks, sampleRelease } from '../testing/sample-release.ts';
import { fetchTree } from './fetch-tree.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';

const BLOCK = 4096;
const names = Array.from({ length: 2000 }, (_, index) => index);
const old = await sampleRelease('1.0', sampleBlocks(names));
const next = await sampleRelease('1.1', sampleBlocks(names.map((index) => (index === 777 ? 'new' : index))));

function filesOf({ version, rootHash, ...parts }: SampleRelease): ReleaseFiles {
  const file = (name: 'root' | 'verity' | 'signature' | 'uki'): ReleaseFile => ({
    path: `targets/${name}`,
    sizeBytes: parts[name].length,
    sha256: hash('sha256', parts[name]),
  });
  return {
    version,
    rootHash,
    root: file('root'),
    verity: file('verity'),
    signature: file('signature'),
    uki: file('uki'),
    sizeBytes: 0,
  };
}

async function fetchFrom(
  context: TestContext,
  faults: readonly (Fault | undefined)[],
  known: readonly Uint8Array[],
) {
  const servers = await Promise.all(
    faults.map((fault) =>
      openLyingServer({ files: new Map([['targets/verity', next.verity]]), fault: () => fault }),
    ),
  );
  const fetcher = openFetcher({
    addresses: servers.map(({ address }) => address),
    ...{ stallMs: 500, pauseMs: 1, signal: new AbortController().signal },
  });
  context.after(async () => {
    fetcher.close();
    await Promise.all(servers.map((server) => server.close()));
  });
  const tree = await fetchTree(fetcher, filesOf(next), known, new AbortController().signal);
  assert.ok(Buffer.from(tree.bytes).equals(Buffer.from(next.verity)));
  return { tree, bytes: fetcher.bytesFetched() };
}

test('of a tree only the blocks on the way to what changed are fetched', async (context) => {
  // Superblock, root, and the one block of leaves in which a digest changed.
  assert.equal((await fetchFrom(context, [undefined], [old.verity])).bytes, 3 * BLOCK);
  assert.equal((await fetchFrom(context, [undefined], [])).bytes, next.verity.length);
});

test('devices that are torn, empty or of another layout are no help and no harm', async (context) => {
  const torn = Buffer.from(old.verity);
  torn.fill(0x55, 4 * BLOCK, 9 * BLOCK);
  const other = (await sampleRelease('0', sampleBlocks(names.slice(0, 300)))).verity;
  for (const device of [
    torn,
    Buffer.alloc(0),
    Buffer.alloc(16 * BLOCK),
    other,
    Buffer.from(old.verity).subarray(0, 3 * BLOCK),
  ]) {
    await fetchFrom(context, [undefined], [device]);
  }
  assert.equal((await fetchFrom(context, [undefined], [torn, old.verity])).bytes, 3 * BLOCK);
});

test('a server that lies about any part of it is left for another one', async (context) => {
  // The identifier in the superblock, its salt, the root block, a block of leaves.
  for (const atByte of [20, 100, BLOCK + 5, 5 * BLOCK + 3]) {
    await fetchFrom(context, [{ kind: 'corrupt', atByte }, undefined], []);
    await assert.rejects(fetchFrom(context, [{ kind: 'corrupt', atByte }], []), {
      code: 'update/content-wrong',
    });
  }
});
