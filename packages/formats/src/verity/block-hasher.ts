import { hash } from 'node:crypto';
import { VERITY_BLOCK_BYTES } from './verity-layout.ts';

/**
 * blockHasher gives the digest function of a device: SHA-256 over salt and block (hash type 1).
 * One scratch buffer and one-shot hashing: an image has tens of thousands of blocks.
 */
export function blockHasher(salt: Uint8Array): (block: Uint8Array) => Uint8Array {
  const scratch = new Uint8Array(salt.length + VERITY_BLOCK_BYTES);
  scratch.set(salt);
  return (block) => {
    scratch.set(block, salt.length);
    return hash('sha256', scratch, 'buffer');
  };
}

/**
 * blockDigester gives the same digests as text of 32 characters (latin1), from a place in larger memory: no memory of its own for each
 * block, which a node without a compiler pays for in the collector.
 * @returns (memory, where the block begins) → its digest
 */
export function blockDigester(salt: Uint8Array): (memory: Buffer, at: number) => string {
  const scratch = Buffer.alloc(salt.length + VERITY_BLOCK_BYTES);
  scratch.set(salt);
  return (memory, at) => {
    memory.copy(scratch, salt.length, at, at + VERITY_BLOCK_BYTES);
    return hash('sha256', scratch, 'latin1');
  };
}
