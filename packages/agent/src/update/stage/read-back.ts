import { VERITY_BLOCK_BYTES as BLOCK, openBlocksChecker, type VerityTree } from '@plinth/formats';
import type { BlockFile } from './block-file.ts';
import { readAhead } from './hash-blocks.ts';

/** Looks at the medium for what was written to it. */
export interface ReadBack {
  /** Takes bytes that were flushed; they are read while others are fetched. */
  check(offset: number, sizeBytes: number): void;
  /** Ends when all of them were read. Throws what reading throws. */
  settle(): Promise<void>;
  /** Gives up what is not read yet, and waits until nothing is under way. */
  stop(): Promise<void>;
}

/**
 * openReadBack reads by a file of its own, past the page cache.
 * @param lasts one byte a block: 1 once it was found on the medium as it should be, 0 once it was not
 */
export function openReadBack(
  file: BlockFile,
  tree: VerityTree,
  lasts: Uint8Array,
  signal: AbortSignal,
): ReadBack {
  const goodBlocks = openBlocksChecker(tree);
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  let work: Promise<void> = Promise.resolve();
  const look = async (first: number, count: number) => {
    lasts.fill(0, first, first + count);
    for await (const piece of readAhead(file, first, count, either)) {
      const blocks = piece.bytes.length / BLOCK;
      for (let at = 0; at < blocks; ) {
        const good = goodBlocks(piece.first + at, piece.bytes.subarray(at * BLOCK));
        lasts.fill(1, piece.first + at, piece.first + at + good);
        at += good + 1; // one that is bad is passed over
      }
    }
  };
  return {
    check(offset, sizeBytes) {
      work = work.then(() => look(offset / BLOCK, sizeBytes / BLOCK));
      work.catch(() => {}); // settle tells
    },
    settle: () => work,
    async stop() {
      stopping.abort();
      await work.catch(() => {});
    },
  };
}
