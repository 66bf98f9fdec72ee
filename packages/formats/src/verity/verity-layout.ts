import { ByteView, decodeText } from '../byte-view.ts';
import { alignUp, encodeText, fromHex, hex } from '../bytes.ts';
import { hexUuid } from '../uuid.ts';

/** Both block sizes of every image Plinth writes; also the page size, so that one block is one page fault. */
export const VERITY_BLOCK_BYTES = 4096;
export const VERITY_DIGEST_BYTES = 32;
const DIGESTS_PER_BLOCK = VERITY_BLOCK_BYTES / VERITY_DIGEST_BYTES;

const SUPERBLOCK_BYTES = 512;
const SALT_LIMIT_BYTES = 256;
const DATA_BLOCKS_LIMIT = 2 ** 32;

/** The parameters a hash device names itself by. */
export interface VerityHeader {
  readonly uuid: string;
  readonly salt: Uint8Array;
  readonly dataBlocks: number;
}

/** One level of the tree; level 0 holds the digests of the data blocks, the last one is a single block. */
export interface VerityLevel {
  readonly blocks: number;
  /** Where the level starts on the hash device. */
  readonly offset: number;
}

export interface VerityLayout {
  readonly levels: readonly VerityLevel[];
  /** Size of the hash device: superblock and tree. */
  readonly sizeBytes: number;
}

/**
 * verityLayout says where each level lies on a hash device with a superblock: the root first, level 0 last
 * (kernel documentation "dm-verity", cryptsetup wiki "DMVerity on-disk format", hash type 1).
 */
export function verityLayout(dataBlocks: number): VerityLayout {
  const sizes: number[] = [];
  for (let below = dataBlocks; below > 1; ) {
    below = Math.ceil(below / DIGESTS_PER_BLOCK);
    sizes.push(below);
  }
  const levels: VerityLevel[] = [];
  let offset = alignUp(SUPERBLOCK_BYTES, VERITY_BLOCK_BYTES);
  for (const blocks of sizes.toReversed()) {
    levels.unshift({ blocks, offset });
    offset += blocks * VERITY_BLOCK_BYTES;
  }
  return { levels, sizeBytes: offset };
}

/** encodeSuperblock gives the 512 bytes at the start of a hash device. */
export function encodeSuperblock({ uuid, salt, dataBlocks }: VerityHeader): Uint8Array {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(encodeText('verity\0\0'));
  view.setUint32(8, 1, true);
  view.setUint32(12, 1, true);
  bytes.set(fromHex(uuid.replaceAll('-', ''))?.subarray(0, 16) ?? [], 16);
  bytes.set(encodeText('sha256'), 32);
  view.setUint32(64, VERITY_BLOCK_BYTES, true);
  view.setUint32(68, VERITY_BLOCK_BYTES, true);
  view.setBigUint64(72, BigInt(dataBlocks), true);
  view.setUint16(80, salt.length, true);
  bytes.set(salt, 88);
  return bytes;
}

/**
 * readSuperblock reads the start of a hash device.
 * @throws formats/verity-invalid, formats/truncated, formats/limit
 */
export function readSuperblock(bytes: Uint8Array): VerityHeader {
  const view = new ByteView(bytes, { what: 'verity superblock' });
  const magic = decodeText(view.slice(0, 8));
  if (magic !== 'verity\0\0') throw view.fault('formats/verity-invalid', 'no verity magic, expected one');
  const found = [view.u32(8), view.u32(12), view.cString(32, 32), view.u32(64), view.u32(68)].join(' ');
  const expected = [1, 1, 'sha256', VERITY_BLOCK_BYTES, VERITY_BLOCK_BYTES].join(' ');
  if (found !== expected) {
    throw view.fault(
      'formats/verity-invalid',
      `version, type, hash and blocks "${found}", expected "${expected}"`,
    );
  }
  const [dataBlocks, saltBytes] = [view.u64(72), view.u16(80)];
  if (dataBlocks === 0 || dataBlocks > DATA_BLOCKS_LIMIT) {
    throw view.fault('formats/limit', `${dataBlocks} data blocks, expected 1 to ${DATA_BLOCKS_LIMIT}`);
  }
  if (saltBytes > SALT_LIMIT_BYTES) {
    throw view.fault(
      'formats/verity-invalid',
      `a salt of ${saltBytes} bytes, expected ${SALT_LIMIT_BYTES} at most`,
    );
  }
  return {
    uuid: hexUuid(hex(view.slice(16, 16))),
    salt: new Uint8Array(view.slice(88, saltBytes)),
    dataBlocks,
  };
}
