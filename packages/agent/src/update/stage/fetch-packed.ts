import { PlinthError } from '@plinth/base';
import { blockRuns, PACK_PAGE_BLOCKS, PACK_PAGE_BYTES, packPageOffset, readPackPage } from '@plinth/updates';
import type { ByteRange } from '../fetch/fetch-ranges.ts';
import type { Fetcher } from '../fetch/fetcher.ts';
import { countMarked } from './count-marked.ts';
import type { ReleaseFile } from './release-files.ts';
import { unpackBlocks } from './unpack-blocks.ts';

/** A request costs about as much as so many pages. */
const GAP_PAGES = 4;
/** Pages are judged whole: a range of them has to fit into what is handed over at once. */
const RANGE_PAGES = 2048;
/** What is decompressed at once. */
const BATCH_BLOCKS = 64;
/**
 * More blocks than these are no small update: a tenth less on the wire would cost as much time again on the node, and memory (131 MB took
 * 1.1 s of its processor instead of 0.7).
 */
const MOST_BLOCKS = 8192;
/** After so many that are not what they should be, the rest is fetched as it is. */
const MOST_BAD_BLOCKS = 16;

/** Blocks of a file of a release that are wanted in compressed form. */
export interface PackedFetch {
  readonly fetcher: Pick<Fetcher, 'ranges'>;
  /** Undefined: the release has no such form. */
  readonly file: ReleaseFile | undefined;
  /** One byte for each block of the whole file; not 0: it is wanted. */
  readonly wanted: Uint8Array;
  readonly signal: AbortSignal;
  /** Takes blocks in a row; gives how many are good before the first that is not. */
  take(first: number, bytes: Uint8Array): Promise<number> | number;
}

/**
 * fetchPacked fetches marked blocks in compressed form. It is a shortcut that nothing depends on: what does not come this way, for
 * whatever reason, is never taken, and is fetched as it is, where servers answer for what they send.
 * Throws what `take` throws, and when the work is cancelled.
 */
export async function fetchPacked(fetch: PackedFetch): Promise<void> {
  const { file, signal, wanted } = fetch;
  if (!file || countMarked(wanted) > MOST_BLOCKS) return;
  try {
    await fetchFrames(await readIndex(file, fetch), file, fetch);
  } catch (reason) {
    const isOfFetching = reason instanceof PlinthError && reason.code.startsWith('update/');
    if (signal.aborted || !isOfFetching) throw reason;
  }
}

/** Frames of blocks in a row, which lie in a row as well. */
interface FrameRun {
  readonly first: number;
  readonly offset: number;
  readonly lengths: readonly number[];
}

async function readIndex(file: ReleaseFile, { fetcher, wanted }: PackedFetch): Promise<FrameRun[]> {
  const blocks = wanted.length;
  const pages = new Uint8Array(Math.ceil(blocks / PACK_PAGE_BLOCKS));
  for (const { first, count } of blockRuns(wanted, 0)) {
    const [from, to] = [first, first + count - 1].map((block) => Math.floor(block / PACK_PAGE_BLOCKS));
    pages.fill(1, from, (to ?? 0) + 1);
  }
  const pageAt = (page: number) => packPageOffset(file.sizeBytes, blocks, page);
  if (pageAt(0) <= 0) return [];
  const runs: FrameRun[] = [];
  await fetcher.ranges({
    ...{ path: file.path, fileBytes: file.sizeBytes, blockBytes: PACK_PAGE_BYTES, isOptional: true },
    ranges: blockRuns(pages, GAP_PAGES).flatMap(({ first, count }) =>
      Array.from({ length: Math.ceil(count / RANGE_PAGES) }, (_, index) => ({
        offset: pageAt(first + index * RANGE_PAGES),
        sizeBytes: Math.min(RANGE_PAGES, count - index * RANGE_PAGES) * PACK_PAGE_BYTES,
      })),
    ),
    async accept(offset, bytes) {
      for (let at = 0; at < bytes.length; at += PACK_PAGE_BYTES) {
        const page = (offset + at - pageAt(0)) / PACK_PAGE_BYTES;
        const read = readPackPage(bytes.subarray(at, at + PACK_PAGE_BYTES), file.sizeBytes, blocks, page);
        if (!read) continue; // its blocks come as they are
        const { first, offsets } = read;
        for (const run of blockRuns(wanted.subarray(first, first + offsets.length - 1), 0)) {
          const starts = offsets.slice(run.first, run.first + run.count + 1);
          const lengths = starts.slice(1).map((end, index) => end - (starts[index] ?? 0));
          runs.push({ first: first + run.first, offset: starts[0] ?? 0, lengths });
        }
      }
      return bytes.length;
    },
  });
  return inOrder(runs);
}

/** Ranges ascend and do not overlap; an index that says otherwise lies from there on. */
function inOrder(runs: readonly FrameRun[]): FrameRun[] {
  let endsAt = 0;
  const kept: FrameRun[] = [];
  for (const run of runs) {
    if (run.offset < endsAt) break;
    kept.push(run);
    endsAt = run.offset + sum(run.lengths);
  }
  return kept;
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0);
}

async function fetchFrames(runs: readonly FrameRun[], file: ReleaseFile, fetch: PackedFetch): Promise<void> {
  if (runs.length === 0) return;
  const take = openFrameReader(runs, fetch);
  const ranges: ByteRange[] = [];
  for (const { offset, lengths } of runs) {
    const last = ranges.at(-1);
    const sizeBytes = sum(lengths);
    // Runs of two pages that follow each other are one range.
    if (last && last.offset + last.sizeBytes === offset)
      ranges.splice(-1, 1, { offset: last.offset, sizeBytes: last.sizeBytes + sizeBytes });
    else ranges.push({ offset, sizeBytes });
  }
  await fetch.fetcher.ranges({
    ...{ path: file.path, fileBytes: file.sizeBytes, blockBytes: 1, isOptional: true, ranges },
    async accept(_, bytes) {
      await take(bytes);
      return bytes.length;
    },
  });
}

/** Takes the bytes of the frames as they come, in their order; frames are cut anywhere. */
function openFrameReader(runs: readonly FrameRun[], { take }: PackedFetch): (bytes: Buffer) => Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let [run, frame, badBlocks] = [0, 0, 0];

  const give = async (first: number, bytes: Uint8Array, lengths: readonly number[]) => {
    const blocks = unpackBlocks(bytes, lengths.length);
    const good = blocks ? await take(first, blocks) : 0;
    if (good === lengths.length) return;
    // One of them is bad: the others are found one by one.
    let at = sum(lengths.slice(0, good));
    for (const [index, length] of lengths.entries()) {
      if (index < good) continue;
      const block = unpackBlocks(bytes.subarray(at, at + length), 1);
      if (!block || (await take(first + index, block)) === 0) badBlocks++;
      at += length;
    }
    if (badBlocks <= MOST_BAD_BLOCKS) return;
    throw new PlinthError('update/content-wrong', `Cannot use compressed blocks: ${badBlocks} are others`);
  };

  return async (bytes) => {
    const all = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
    let at = 0;
    for (let current = runs[run]; current; current = runs[run]) {
      const lengths: number[] = [];
      let batchBytes = 0;
      for (const length of current.lengths.slice(frame, frame + BATCH_BLOCKS)) {
        if (at + batchBytes + length > all.length) break;
        lengths.push(length);
        batchBytes += length;
      }
      if (lengths.length === 0) break;
      await give(current.first + frame, all.subarray(at, at + batchBytes), lengths);
      at += batchBytes;
      frame += lengths.length;
      if (frame === current.lengths.length) [run, frame] = [run + 1, 0];
    }
    rest = Buffer.from(all.subarray(at)); // the memory of a piece is used again
  };
}
