import assert from 'node:assert/strict';
import { stat, utimes } from 'node:fs/promises';
import type { DiskCopy } from './disk-copy.ts';

/**
 * replaceUki puts another UKI in the place of the one on the ESP of a disk that a machine was made from: byte for byte, so that
 * what the machine wrote since still fits, and with the file's old time, so that the machine still takes the disk for its own.
 */
export async function replaceUki(disk: DiskCopy, old: Uint8Array, other: Uint8Array): Promise<void> {
  assert.equal(other.length, old.length, 'the other UKI has another size');
  const { offsetBytes, sizeBytes } = disk.partition('esp');
  const at = Buffer.from(await disk.read(offsetBytes, sizeBytes)).indexOf(old);
  assert.ok(at > 0, 'the UKI does not lie on the ESP in one piece');
  const { atime, mtime } = await stat(disk.path);
  await disk.write(offsetBytes + at, other);
  await utimes(disk.path, atime, mtime);
}
