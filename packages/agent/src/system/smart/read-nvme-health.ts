import { DiskVerdict } from '@plinth/api';
import type { DiskHealthShape } from './read-ata-health.ts';

const PAGE_BYTES = 512;
const KELVIN = 273;
const MOST = 0xffff_ffff_ffff_ffffn;

/** Bits of "Critical Warning" (NVM Express Base Specification 2.0, 5.16.1.3). */
const WARNINGS = [
  'its spare blocks have run out',
  'its temperature is outside of its limits',
  'errors have made it unreliable',
  'it takes no more writes',
  'it cannot keep what it holds in memory when the power fails',
  'its persistent memory takes no more writes',
] as const;

/** readNvmeHealth reads the log "SMART / Health Information" of an NVMe disk; undefined when it is not of its shape. Pure. */
export function readNvmeHealth(page: Buffer): DiskHealthShape | undefined {
  if (page.length !== PAGE_BYTES) return undefined;
  const critical = page.readUInt8(0);
  const kelvin = page.readUInt16LE(1);
  // A controller that knows nothing of its disk sends zeros, which would read as a disk without spare blocks at −273 °C.
  if (page.every((byte) => byte === 0)) return undefined;
  return {
    verdict: critical === 0 ? DiskVerdict.PASSED : DiskVerdict.FAILING,
    warnings: warningsOf(critical),
    ...(kelvin !== 0 && { celsius: kelvin - KELVIN }),
    sparePercent: page.readUInt8(3),
    usedPercent: page.readUInt8(5),
    powerCycles: count(page, 112),
    powerOnHours: count(page, 128),
    unsafeShutdowns: count(page, 144),
    mediaErrors: count(page, 160),
  };
}

function warningsOf(critical: number): string[] {
  const known = WARNINGS.filter((_, bit) => (critical & (1 << bit)) !== 0);
  return critical >> WARNINGS.length === 0 ? known : [...known, 'it warns of something of a later standard'];
}

/** A number of 128 bits; what does not fit into 64 is given as the largest that does. */
function count(page: Buffer, offset: number): bigint {
  return page.readBigUInt64LE(offset + 8) === 0n ? page.readBigUInt64LE(offset) : MOST;
}
