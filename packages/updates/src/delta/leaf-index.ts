import type { VerityTree } from '@plinth/formats';

const WORDS = 8;

/** Digests of blocks as 32-bit words, eight a block. */
export interface Leaves {
  readonly blocks: number;
  readonly words: Uint32Array;
}

/** leavesOf views the leaves of a tree as words, without a copy where the memory allows it. */
export function leavesOf({ leaves, header }: VerityTree): Leaves {
  const aligned = leaves.byteOffset % 4 === 0 ? leaves : leaves.slice();
  return {
    blocks: header.dataBlocks,
    words: new Uint32Array(aligned.buffer, aligned.byteOffset, header.dataBlocks * WORDS),
  };
}

/** sameLeaf tells whether two blocks have the same digest; a block that is not there has none. */
export function sameLeaf(left: Leaves, leftBlock: number, right: Leaves, rightBlock: number): boolean {
  if (leftBlock >= left.blocks || rightBlock >= right.blocks) return false;
  for (let word = 0; word < WORDS; word++) {
    if (left.words[leftBlock * WORDS + word] !== right.words[rightBlock * WORDS + word]) return false;
  }
  return true;
}

/**
 * openLeafIndex finds blocks by their digest: open addressing over the first word of the digests, which are as good as random. Two
 * arrays of numbers, nothing for each block: the agent has 96 MB and no compiler for hot code.
 */
export function openLeafIndex(mostBlocks: number): LeafIndex {
  // At most half full, so that a search ends after a step or two.
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, mostBlocks * 2)));
  return new LeafIndex(size);
}

export class LeafIndex {
  readonly #mask: number;
  /** Source of each place plus one; 0 is free. */
  readonly #sources: Uint8Array;
  readonly #blocks: Uint32Array;
  readonly #leaves: Leaves[] = [];

  constructor(size: number) {
    this.#mask = size - 1;
    this.#sources = new Uint8Array(size);
    this.#blocks = new Uint32Array(size);
  }

  /**
   * Adds the blocks of a source.
   * @param keep which of equal blocks of this source is found; blocks of a source that was added before always go first
   * @param skip blocks that are not to be found
   */
  add(leaves: Leaves, keep: 'first' | 'last', skip: (block: number) => boolean = () => false): void {
    const source = this.#leaves.push(leaves);
    for (let block = 0; block < leaves.blocks; block++) {
      if (skip(block)) continue;
      const place = this.#place(leaves, block);
      const found = this.#sources[place];
      if (found !== 0 && (found !== source || keep === 'first')) continue;
      this.#sources[place] = source;
      this.#blocks[place] = block;
    }
  }

  /** Finds a block with a digest: its source (in the order of adding) and its number; undefined when no source has it. */
  find(leaves: Leaves, block: number): { readonly source: number; readonly block: number } | undefined {
    const place = this.#place(leaves, block);
    const source = this.#sources[place] ?? 0;
    return source === 0 ? undefined : { source: source - 1, block: this.#blocks[place] ?? 0 };
  }

  /** The place that holds a digest, or the free one where it would go. */
  #place(leaves: Leaves, block: number): number {
    for (let place = (leaves.words[block * WORDS] ?? 0) & this.#mask; ; place = (place + 1) & this.#mask) {
      const source = this.#leaves[(this.#sources[place] ?? 0) - 1];
      if (!source || sameLeaf(leaves, block, source, this.#blocks[place] ?? 0)) return place;
    }
  }
}
