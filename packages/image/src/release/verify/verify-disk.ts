import { openDisk } from '../disk/open-disk.ts';
import { makeReport, type VerifyOptions, type VerifyReport } from './check.ts';
import { verifyImage } from './verify-image.ts';

/**
 * verifyDisk judges a disk by itself, offline: raw or compressed with zstd, of a release or used by a machine.
 * @throws release/not-found, host/disk-full, host/io, cli/interrupted
 */
export async function verifyDisk(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const disk = await openDisk(path, options.signal);
  try {
    const { checks } = await verifyImage(disk, options);
    return makeReport(path, checks);
  } finally {
    await disk.close();
  }
}
