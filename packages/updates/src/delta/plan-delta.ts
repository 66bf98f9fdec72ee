import { VERITY_BLOCK_BYTES, type VerityTree } from '@plinth/formats';
import type { SlotName } from '../slots/slot-disk.ts';
import { blockRuns } from './block-runs.ts';
import { type Leaves, leavesOf, openLeafIndex, sameLeaf } from './leaf-index.ts';

/** Blocks that are on the disk. In the slot that is written, a run with fromBlock = toBlock lies where it belongs already. */
export interface CopyRun {
  readonly from: SlotName;
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly count: number;
}

/** Bytes of the new root's file. Whole blocks. */
export interface FetchRange {
  readonly offset: number;
  readonly length: number;
}

/** Where each block of a new root comes from: it is in exactly one of `copy`, `fetch`, and what was present before. */
export interface DeltaPlan {
  /** In order of `toBlock`. */
  readonly copy: readonly CopyRun[];
  /** In order of `offset`. */
  readonly fetch: readonly FetchRange[];
}

export interface DeltaOptions {
  /** Tree of the new root, verified against its signed root hash. */
  readonly newTree: VerityTree;
  /** Trees of the slots, as they stand on the disk: what they say is a guess, each block that is copied is checked. */
  readonly slots: readonly { readonly slot: SlotName; readonly tree: VerityTree }[];
  /** The slot that is written. */
  readonly target: SlotName;
  /** One byte for each block of the new root; not 0: it is in the target and was checked, by a run that was cut. */
  readonly present?: Uint8Array;
  /**
   * What one more range costs, in bytes that could be fetched instead: headers, and its share of the wait. A gap that costs no more is
   * fetched too. Default 1024, less than a block: ranges of kept connections, several on their way at a time.
   */
  readonly requestCostBytes?: number;
}

const DEFAULT_REQUEST_COST_BYTES = 1024;
const NOWHERE = 0xffff_ffff;

/**
 * planDelta compares the leaves of hash trees and says which blocks are copied and which are fetched. Only trees with the salt of the
 * new one tell anything. Blocks are carried out in the order of their place in the new root, copied and fetched ones alike, or copied
 * ones first: a block that is copied within the target comes from its own place or behind it, so that nothing is overwritten before
 * it is read.
 */
export function planDelta(options: DeltaOptions): DeltaPlan {
  const { newTree, target, present } = options;
  const costBlocks = (options.requestCostBytes ?? DEFAULT_REQUEST_COST_BYTES) / VERITY_BLOCK_BYTES;
  const sources = options.slots
    .filter(({ tree }) => Buffer.compare(tree.header.salt, newTree.header.salt) === 0)
    .map(({ slot, tree }) => ({ slot, leaves: leavesOf(tree) }))
    // What is in the other slot stays while the target is written, so it goes first.
    .sort((left, right) => Number(left.slot === target) - Number(right.slot === target));

  const origin = findOrigins(leavesOf(newTree), sources, target, present);
  const fetch = coalesce(origin, present, Math.floor(costBlocks));
  return { copy: copyRuns(origin, sources, present), fetch };
}

interface Source {
  readonly slot: SlotName;
  readonly leaves: Leaves;
}

/** For each block of the new root the source and block it is copied from; NOWHERE: it is fetched, or present. */
interface Origins {
  readonly source: Uint8Array;
  readonly block: Uint32Array;
}

function findOrigins(
  wanted: Leaves,
  sources: readonly Source[],
  target: SlotName,
  present: Uint8Array | undefined,
): Origins {
  const origin: Origins = {
    source: new Uint8Array(wanted.blocks),
    block: new Uint32Array(wanted.blocks).fill(NOWHERE),
  };
  const isPresent = (block: number) => present !== undefined && (present[block] ?? 0) !== 0;
  const index = openLeafIndex(sources.reduce((sum, { leaves }) => sum + leaves.blocks, 0));
  for (const { slot, leaves } of sources) {
    // Of equal blocks in the target the last one can serve the most places.
    if (slot === target) index.add(leaves, 'last', isPresent);
    else index.add(leaves, 'first');
  }
  const own = sources.findIndex(({ slot }) => slot === target);
  const fits = (source: number, from: number, to: number) =>
    source !== own || (from >= to && !isPresent(from));
  const take = (to: number, source: number, from: number): boolean => {
    const leaves = sources[source]?.leaves;
    if (!leaves || !fits(source, from, to) || !sameLeaf(wanted, to, leaves, from)) return false;
    origin.source[to] = source;
    origin.block[to] = from;
    return true;
  };
  for (let block = 0; block < wanted.blocks; block++) {
    if (isPresent(block) || (own >= 0 && take(block, own, block))) continue;
    // The block after the one before it: runs stay long although many blocks are equal.
    const before = block === 0 ? NOWHERE : (origin.block[block - 1] ?? NOWHERE);
    if (before !== NOWHERE && take(block, origin.source[block - 1] ?? 0, before + 1)) continue;
    const found = index.find(wanted, block);
    if (found) take(block, found.source, found.block);
  }
  return origin;
}

/** Ranges of the blocks that come from nowhere; a gap that costs less than another request is fetched too, and not copied. */
function coalesce(origin: Origins, present: Uint8Array | undefined, mostGapBlocks: number): FetchRange[] {
  const missing = new Uint8Array(origin.block.length);
  for (let block = 0; block < missing.length; block++) {
    if (origin.block[block] === NOWHERE && !present?.[block]) missing[block] = 1;
  }
  return blockRuns(missing, mostGapBlocks).map(({ first, count }) => {
    origin.block.fill(NOWHERE, first, first + count);
    return { offset: first * VERITY_BLOCK_BYTES, length: count * VERITY_BLOCK_BYTES };
  });
}

function copyRuns(origin: Origins, sources: readonly Source[], present: Uint8Array | undefined): CopyRun[] {
  const runs: CopyRun[] = [];
  const blocks = origin.block.length;
  for (let block = 0; block < blocks; ) {
    const fromBlock = origin.block[block] ?? NOWHERE;
    const source = origin.source[block] ?? 0;
    const from = sources[source]?.slot;
    if (fromBlock === NOWHERE || from === undefined || (present?.[block] ?? 0) !== 0) {
      block++;
      continue;
    }
    let count = 1;
    while (
      block + count < blocks &&
      origin.block[block + count] === fromBlock + count &&
      origin.source[block + count] === source
    ) {
      count++;
    }
    runs.push({ from, fromBlock, toBlock: block, count });
    block += count;
  }
  return runs;
}
