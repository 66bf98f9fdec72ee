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
