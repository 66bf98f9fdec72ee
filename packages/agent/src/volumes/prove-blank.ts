import type { Sys } from '../sys/sys.ts';

export const BLKID = '/usr/sbin/blkid';
/** blkid(8): nothing was found. */
const BLKID_NOTHING = 2;

const KIB = 1024;
const MIB = 1024 * KIB;
/** Tables and superblocks of all kinds lie here, and their copies at the end. */
const EDGE_BYTES = 16 * MIB;
const SAMPLE_BYTES = 64 * KIB;
const SAMPLES = 64;
/** Copies of the superblock of btrfs: btrfs(5). */
const BTRFS_COPIES = [64 * MIB, 256 * 1024 * MIB];
const ZEROS = Buffer.alloc(MIB);

/** A piece of a disk. */
export interface Piece {
  readonly offset: number;
  readonly lengthBytes: number;
}

/** piecesToProve are the places that have to hold zeros; of a small disk that is all of it. Pure. */
export function piecesToProve(sizeBytes: number): readonly Piece[] {
  const pieces: Piece[] = [];
  const cover = (from: number, to: number) => {
    for (let offset = from; offset < to; offset += MIB)
      pieces.push({ offset, lengthBytes: Math.min(MIB, to - offset) });
  };
  if (sizeBytes <= 2 * EDGE_BYTES) {
    cover(0, sizeBytes);
    return pieces;
  }
  cover(0, EDGE_BYTES);
  const tail = sizeBytes - EDGE_BYTES;
  const step = (tail - EDGE_BYTES) / SAMPLES;
  const between = [
    ...BTRFS_COPIES,
    ...Array.from({ length: SAMPLES }, (_, index) => EDGE_BYTES + Math.floor((index * step) / 4096) * 4096),
  ];
  for (const offset of between.filter((each) => each < tail).sort((a, b) => a - b))
    pieces.push({ offset, lengthBytes: Math.min(SAMPLE_BYTES, tail - offset) });
  cover(tail, sizeBytes);
  return pieces;
}

/**
 * proveBlank says why a disk is not blank, undefined for one that is: libblkid finds nothing, and where we look there are
 * zeros. What cannot be read is not blank.
 * @param resumed a volume was begun here that was blank then: systemd-repart may have written data, and no table yet
 */
export async function proveBlank(
  sys: Pick<Sys, 'run' | 'readRange'>,
  device: string,
  sizeBytes: number,
  resumed = false,
): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await sys.run(BLKID, ['--probe', '--output', 'export', device]);
  if (exitCode === 0) return `it carries ${found(stdout)}`;
  if (exitCode !== BLKID_NOTHING) return `blkid ended with ${exitCode}: ${stderr.trim()}`;
  if (resumed) return undefined;
  for (const { offset, lengthBytes } of piecesToProve(sizeBytes)) {
    const bytes = await sys.readRange(device, offset, lengthBytes);
    if (bytes.length !== lengthBytes) return `it ends after ${offset + bytes.length} of ${sizeBytes} bytes`;
    if (!bytes.equals(ZEROS.subarray(0, lengthBytes)))
      return `there is data at byte ${offset + bytes.findIndex((byte) => byte !== 0)}, of no kind that is known`;
  }
  return undefined;
}

/** The kind of what libblkid saw. */
function found(text: string): string {
  const [, type] = /^(?:TYPE|PTTYPE)=(.*)$/m.exec(text) ?? [];
  const kind = /^PTTYPE=/m.test(text) && !/^TYPE=/m.test(text) ? 'a partition table' : 'data';
  return type === undefined ? 'something' : `${kind} of the kind ${type.replaceAll(/[^\w.-]/g, '?')}`;
}
