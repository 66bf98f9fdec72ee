import { VERITY_BLOCK_BYTES as BLOCK, openBlocksChecker, type VerityTree } from '@plinth/formats';
import { blockRuns, type CopyRun, type DeltaPlan } from '@plinth/updates';
import type { Fetcher } from '../fetch/fetcher.ts';
import { type BlockFile, PIECE_BYTES } from './block-file.ts';
import { countMarked } from './count-marked.ts';
import { fetchPacked } from './fetch-packed.ts';
import type { ProgressMeter } from './progress.ts';
import type { ReleaseFiles } from './release-files.ts';
import type { SlotPartitions } from './slot-machine.ts';

/** What filling a slot needs. */
export interface FillParts {
  readonly target: SlotPartitions;
  readonly release: ReleaseFiles;
  readonly fetcher: Fetcher;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal;
  /** Of the release; verified. */
  readonly tree: VerityTree;
  /** The slot that is written, and the one that runs. */
  readonly root: BlockFile;
  readonly source: BlockFile;
  /** Blocks that are in place; grows. */
  readonly present: Uint8Array;
}

const PIECE_BLOCKS = PIECE_BYTES / BLOCK;

/** copyBlocks copies what the plan says is on the disk. What turns out not to be what its tree said stays away. */
export async function copyBlocks(plan: DeltaPlan, parts: FillParts): Promise<void> {
  for (const run of plan.copy) await copyRun(run, parts);
}

async function copyRun(run: CopyRun, parts: FillParts): Promise<void> {
  const { target, tree, root, source, present, meter, signal } = parts;
  const from = run.from === target.name ? root : source;
  const goodBlocks = openBlocksChecker(tree);
  const read = (done: number) => {
    const piece = from.read((run.fromBlock + done) * BLOCK, Math.min(PIECE_BLOCKS, run.count - done) * BLOCK);
    piece.catch(() => {}); // it is waited for, unless the one before it failed
    return { done, piece };
  };
  let ahead = read(0);
  for (let done = 0; done < run.count; ) {
    signal.throwIfAborted();
    if (ahead.done !== done) {
      await ahead.piece.catch(() => {}); // its memory is used again
      ahead = read(done);
    }
    const bytes: Uint8Array = await ahead.piece;
    const count = bytes.length / BLOCK;
    // The disk reads on while this piece is checked and written. Within one slot it lies behind what is written.
    if (done + count < run.count) ahead = read(done + count);
    const first = run.toBlock + done;
    const good = goodBlocks(first, bytes);
    if (good > 0) {
      await root.write(first * BLOCK, bytes.subarray(0, good * BLOCK));
      present.fill(1, first, first + good);
      meter.copied(good * BLOCK);
      meter.done(good * BLOCK);
    }
    // One that is not what its tree said is passed over, and fetched later.
    done += good === count ? count : good + 1;
  }
}

/**
 * fetchBlocks fetches marked blocks, compressed as far as that works, and writes those that are good.
 * @throws what fetching throws
 */
export async function fetchBlocks(wanted: Uint8Array, parts: FillParts): Promise<void> {
  const { fetcher, release, signal } = parts;
  const left = wanted.slice();
  const taker = openTaker(parts);
  const take = async (first: number, bytes: Uint8Array) => {
    const good = await taker(first, bytes);
    left.fill(0, first, first + good);
    return good;
  };
  await fetchPacked({ fetcher, file: release.packedRoot, wanted, signal, take });
  await fetcher.ranges({
    ...{ path: release.root.path, fileBytes: release.root.sizeBytes, blockBytes: BLOCK },
    ranges: blockRuns(left, 0).map(({ first, count }) => ({
      offset: first * BLOCK,
      sizeBytes: count * BLOCK,
    })),
    accept: async (offset, bytes) => (await take(offset / BLOCK, bytes)) * BLOCK,
  });
}

/** Writes blocks up to the first that is not what its digest says. */
function openTaker({
  tree,
  root,
  present,
  meter,
}: FillParts): (first: number, bytes: Uint8Array) => Promise<number> {
  const goodBlocks = openBlocksChecker(tree);
  return async (first, bytes) => {
    const good = goodBlocks(first, bytes);
    if (good === 0) return 0;
    await root.write(first * BLOCK, bytes.subarray(0, good * BLOCK));
    const before = countMarked(present.subarray(first, first + good));
    present.fill(1, first, first + good);
    if (good > before) meter.done((good - before) * BLOCK);
    return good;
  };
}
