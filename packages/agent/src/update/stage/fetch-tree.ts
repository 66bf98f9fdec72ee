import { PlinthError } from '@plinth/base';
import {
  VERITY_BLOCK_BYTES as BLOCK,
  blockHasher,
  VERITY_DIGEST_BYTES as DIGEST,
  fromHex,
  hex,
  readSuperblock,
  sha256,
  type VerityLevel,
  type VerityTree,
  verifyTree,
  verityLayout,
} from '@plinth/formats';
import { blockRuns } from '@plinth/updates';
import type { Fetcher } from '../fetch/fetcher.ts';
import { fetchPacked } from './fetch-packed.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';

/** A verified hash tree, and the hash device that it is in. */
export interface FetchedTree extends VerityTree {
  readonly bytes: Uint8Array;
}

/**
 * fetchTree fetches the hash tree of a release from the top down: of each level only the blocks that no hash device at hand has at the
 * same place, each checked against the one above it, which the signed root hash vouches for.
 * @param known hash devices of slots; what they say is a guess
 * @throws update/content-wrong, update/unreachable, update/stalled, update/release-invalid
 */
export async function fetchTree(
  fetcher: Fetcher,
  release: ReleaseFiles,
  known: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<FetchedTree> {
  const file = release.verity;
  const top = await fetchTop(fetcher, release);
  if (!top) return wholeTree(fetcher, release);
  const bytes = new Uint8Array(file.sizeBytes);
  bytes.set(top);
  const header = readSuperblock(top);
  const digest = blockHasher(header.salt);
  const { levels } = verityLayout(header.dataBlocks);
  for (let index = levels.length - 2; index >= 0; index--) {
    const [level, above] = [levels[index], levels[index + 1]];
    if (!level || !above) continue;
    const isBlock = (block: number, content: Uint8Array) => {
      const at = above.offset + block * DIGEST;
      return Buffer.compare(digest(content), bytes.subarray(at, at + DIGEST)) === 0;
    };
    const missing = new Uint8Array(level.blocks);
    for (let block = 0; block < level.blocks; block++) {
      const found = known
        .map((device) => sameBlock(device, index, block))
        .find((content) => content !== undefined && isBlock(block, content));
      if (found) bytes.set(found, level.offset + block * BLOCK);
      else missing[block] = 1;
    }
    const take = (block: number, content: Uint8Array) => {
      if (!isBlock(block, content)) return false;
      bytes.set(content, level.offset + block * BLOCK);
      missing[block] = 0;
      return true;
    };
    await fetchPackedLevel(fetcher, release, level, missing, take, signal);
    await fetchLevel(fetcher, file, level, missing, take);
  }
  // What no digest covers is the rest of the superblock; a server that lies about that alone is found here.
  if (hex(sha256(bytes)) !== file.sha256) return wholeTree(fetcher, release);
  return verified(bytes, release);
}

/** Superblock and the block of the root hash; undefined when the tree is too small to have any below, or nothing that fits came. */
async function fetchTop(
  fetcher: Fetcher,
  { root, verity, rootHash }: ReleaseFiles,
): Promise<Uint8Array | undefined> {
  const dataBlocks = root.sizeBytes / BLOCK;
  if (verityLayout(dataBlocks).levels.length < 2) return undefined;
  const top = new Uint8Array(2 * BLOCK);
  await fetcher.ranges({
    ...{ path: verity.path, fileBytes: verity.sizeBytes, blockBytes: 2 * BLOCK },
    ranges: [{ offset: 0, sizeBytes: 2 * BLOCK }],
    async accept(_, bytes) {
      if (!isTop(bytes, dataBlocks, rootHash)) return 0;
      top.set(bytes);
      return bytes.length;
    },
  });
  return top;
}

function isTop(bytes: Uint8Array, dataBlocks: number, rootHash: string): boolean {
  try {
    const header = readSuperblock(bytes);
    const expected = fromHex(rootHash) ?? new Uint8Array();
    const found = blockHasher(header.salt)(bytes.subarray(BLOCK, 2 * BLOCK));
    return header.dataBlocks === dataBlocks && Buffer.compare(found, expected) === 0;
  } catch (reason) {
    if (reason instanceof PlinthError) return false;
    throw reason;
  }
}

/** The block of a hash device at the same place of its own tree. */
function sameBlock(device: Uint8Array, index: number, block: number): Uint8Array | undefined {
  try {
    const level = verityLayout(readSuperblock(device).dataBlocks).levels[index];
    if (!level || block >= level.blocks) return undefined;
    const at = level.offset + block * BLOCK;
    return at + BLOCK <= device.length ? device.subarray(at, at + BLOCK) : undefined;
  } catch (reason) {
    if (reason instanceof PlinthError) return undefined;
    throw reason;
  }
}

type Take = (block: number, content: Uint8Array) => boolean;

/** Blocks of a level as they are compressed, as far as that works. */
async function fetchPackedLevel(
  fetcher: Fetcher,
  { packedVerity: file, verity }: ReleaseFiles,
  level: VerityLevel,
  missing: Uint8Array,
  take: Take,
  signal: AbortSignal,
): Promise<void> {
  const start = level.offset / BLOCK;
  const wanted = new Uint8Array(verity.sizeBytes / BLOCK);
  wanted.set(missing, start);
  await fetchPacked({
    ...{ fetcher, file, wanted, signal },
    take(first, bytes) {
      const count = bytes.length / BLOCK;
      let good = 0;
      while (good < count && take(first - start + good, bytes.subarray(good * BLOCK, (good + 1) * BLOCK)))
        good++;
      return good;
    },
  });
}

async function fetchLevel(
  fetcher: Fetcher,
  file: ReleaseFile,
  level: VerityLevel,
  missing: Uint8Array,
  take: Take,
): Promise<void> {
  await fetcher.ranges({
    ...{ path: file.path, fileBytes: file.sizeBytes, blockBytes: BLOCK },
    ranges: blockRuns(missing, 0).map(({ first, count }) => ({
      offset: level.offset + first * BLOCK,
      sizeBytes: count * BLOCK,
    })),
    async accept(offset, bytes) {
      for (let at = 0; at < bytes.length; at += BLOCK) {
        const block = (offset + at - level.offset) / BLOCK;
        if (!take(block, bytes.subarray(at, at + BLOCK))) return at;
      }
      return bytes.length;
    },
  });
}

async function wholeTree(fetcher: Fetcher, release: ReleaseFiles): Promise<FetchedTree> {
  const { path, sizeBytes } = release.verity;
  return verified(await fetcher.file({ path, limitBytes: sizeBytes, expected: release.verity }), release);
}

/** What was signed twice must say the same: the manifest names the file's hash and the root hash. */
function verified(bytes: Uint8Array, { version, root, rootHash }: ReleaseFiles): FetchedTree {
  const tree = verifyTree(bytes, rootHash);
  if (tree.verdict === 'pass' && tree.header.dataBlocks * BLOCK === root.sizeBytes) return { ...tree, bytes };
  const state =
    tree.verdict === 'fail' ? tree.reason : `its hash tree is for ${tree.header.dataBlocks} blocks`;
  throw new PlinthError(
    'update/release-invalid',
    `Cannot use release ${version}: ${state}, expected a tree of its root hash`,
  );
}
