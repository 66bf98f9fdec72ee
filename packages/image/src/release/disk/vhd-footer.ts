import { PlinthError } from '@plinth/base';

/** Size of the footer, the last thing in the file (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format"). */
export const VHD_FOOTER_BYTES = 512;

const COOKIE = 'conectix';
/** Times count seconds from 2000-01-01T00:00:00Z. */
const VHD_EPOCH_SECONDS = 946_684_800;
const TIMESTAMP_AT = 24;
const CHECKSUM_AT = 64;
const UUID_AT = 68;

/**
 * fixVhdFooter gives the footer of a fixed VHD with a chosen time and identity: qemu-img writes the clock and a
 * random UUID.
 * @param uuid text form
 * @throws release/disk-format when the bytes are no footer
 */
export function fixVhdFooter(footer: Uint8Array, epochSeconds: number, uuid: string): Uint8Array {
  const fixed = Buffer.from(footer);
  if (fixed.length !== VHD_FOOTER_BYTES || fixed.toString('latin1', 0, COOKIE.length) !== COOKIE) {
    throw new PlinthError(
      'release/disk-format',
      'Cannot fix the VHD footer: no footer at the end, expected one',
    );
  }
  fixed.writeUInt32BE(Math.max(0, epochSeconds - VHD_EPOCH_SECONDS), TIMESTAMP_AT);
  Buffer.from(uuid.replaceAll('-', ''), 'hex').copy(fixed, UUID_AT);
  fixed.writeUInt32BE(checksum(fixed), CHECKSUM_AT);
  return fixed;
}

/** One's complement of the sum of all bytes but the checksum's own. */
function checksum(footer: Buffer): number {
  let sum = 0;
  for (const [at, byte] of footer.entries()) if (at < CHECKSUM_AT || at >= UUID_AT) sum += byte;
  return ~sum >>> 0;
}
