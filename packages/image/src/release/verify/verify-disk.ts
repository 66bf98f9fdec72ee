import { openDisk } from '../disk/open-disk.ts';
import { makeReport, noAnchors, type TrustAnchors, type VerifyReport } from './check.ts';
import { verifyImage } from './verify-image.ts';

export interface VerifyDiskOptions {
  /** Certificates to trust; without them every signature stays unknown. */
  readonly trusted?: TrustAnchors;
}

/**
 * verifyDisk judges a disk by itself, offline: raw or compressed with zstd, of a release or used by a machine.
 * @throws release/not-found, host/disk-full, host/io
 */
export async function verifyDisk(path: string, options: VerifyDiskOptions = {}): Promise<VerifyReport> {
  const disk = await openDisk(path);
  try {
    const { checks } = await verifyImage(disk, options.trusted ?? noAnchors);
    return makeReport(path, checks);
  } finally {
    await disk.close();
  }
}
