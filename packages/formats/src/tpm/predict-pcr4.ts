import { encodeText, sha256 } from '../bytes.ts';
import { authenticodeDigest } from '../pe/authenticode-digest.ts';
import { readUki } from '../pe/read-uki.ts';
import { replayPcr } from './pcr.ts';

/** What firmware measures when boot options end and programs begin (TCG PC Client Platform Firmware Profile, 3.3.4.5). */
const BOOT_ATTEMPT = sha256(encodeText('Calling EFI Application from Boot Option'));
/** EV_SEPARATOR: four zero bytes close the part of the firmware. */
export const SEPARATOR: Uint8Array = sha256(new Uint8Array(4));

/**
 * predictPcr4 gives the SHA-256 value of PCR 4 after the first boot option worked: loader, then UKI.
 * With Secure Boot the stub hands its kernel to the firmware behind a security override, which leaves the firmware's
 * measurement out; without Secure Boot the kernel inside the UKI is measured as a program of its own.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function predictPcr4(boot: {
  readonly loader: Uint8Array;
  readonly uki: Uint8Array;
  readonly secureBoot: boolean;
}): Uint8Array {
  const programs = [boot.loader, boot.uki, ...(boot.secureBoot ? [] : [readUki(boot.uki).linux])];
  return replayPcr([BOOT_ATTEMPT, SEPARATOR, ...programs.map((program) => authenticodeDigest(program))]);
}
