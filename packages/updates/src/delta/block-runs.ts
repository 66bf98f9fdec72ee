export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

/** blockRuns joins marked blocks (not 0) to runs, over gaps of at most `mostGapBlocks` blocks. */
export function blockRuns(marked: Uint8Array, mostGapBlocks: number): BlockRun[] {
  const runs: { first: number; count: number }[] = [];
  for (let block = 0; block < marked.length; block++) {
    if (!marked[block]) continue;
    const last = runs.at(-1);
    if (last && block - (last.first + last.count) <= mostGapBlocks) last.count = block + 1 - last.first;
    else runs.push({ first: block, count: 1 });
  }
  return runs;
}
