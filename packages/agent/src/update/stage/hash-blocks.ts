import { VERITY_BLOCK_BYTES as BLOCK, blockDigester, VERITY_DIGEST_BYTES as DIGEST } from '@plinth/formats';
import { type BlockFile, PIECE_BYTES } from './block-file.ts';

const PIECE_BLOCKS = PIECE_BYTES / BLOCK;

/** A piece of a file, in memory that the piece after the next takes again. */
export interface BlockPiece {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** readAhead reads blocks in pieces; the disk reads on while a piece is looked at, and between pieces others have their turn. */
export async function* readAhead(
  file: BlockFile,
  first: number,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<BlockPiece> {
  const end = first + count;
  const read = (at: number) => {
    const piece = file.read(at * BLOCK, Math.min(PIECE_BLOCKS, end - at) * BLOCK);
    piece.catch(() => {}); // it is waited for, unless the one before it failed
    return piece;
  };
  let next = count > 0 ? read(first) : undefined;
  for (let at = first; next; at += PIECE_BLOCKS) {
    signal.throwIfAborted();
    const bytes: Uint8Array = await next;
    next = at + PIECE_BLOCKS < end ? read(at + PIECE_BLOCKS) : undefined;
    yield { first: at, bytes };
  }
}

/** hashBlocks gives the digests of the first blocks as they lie on the medium. */
export async function hashBlocks(
  file: BlockFile,
  blocks: number,
  salt: Uint8Array,
  signal: AbortSignal,
  done: (bytes: number) => void = () => {},
): Promise<Buffer> {
  const digest = blockDigester(salt);
  const leaves = Buffer.alloc(blocks * DIGEST);
  for await (const { first, bytes } of readAhead(file, 0, blocks, signal)) {
    const memory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let block = 0; block < bytes.length / BLOCK; block++) {
      leaves.write(digest(memory, block * BLOCK), (first + block) * DIGEST, 'latin1');
    }
    done(bytes.length);
  }
  return leaves;
}
