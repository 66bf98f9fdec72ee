import { PlinthError } from '@plinth/base';

/** An object is at most 1.5 MB in etcd, and as JSON not far more. */
const LINE_LIMIT_BYTES = 8 * 1024 * 1024;

/** watchLines cuts what a watch sends into its lines. @throws kube/bad-answer for a line that does not end */
export async function* watchLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, from)) {
      held.push(piece.subarray(from, at));
      yield Buffer.concat(held).toString('utf8');
      [held, heldBytes, from] = [[], 0, at + 1];
    }
    if (from === piece.length) continue;
    held.push(piece.subarray(from));
    heldBytes += piece.length - from;
    if (heldBytes > LINE_LIMIT_BYTES)
      throw new PlinthError('kube/bad-answer', 'Cannot read the watch: a line of it does not end');
  }
}
