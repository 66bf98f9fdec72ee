import { encodeText, sha256 } from '../bytes.ts';
import { authenticodeDigest } from '../pe/authenticode-digest.ts';
import { readUki } from '../pe/read-uki.ts';
import { type Measurement, replayMeasurements } from './pcr.ts';

/** What firmware measures when boot options end and programs begin (TCG PC Client Platform Firmware Profile, 3.3.4.5). */
const BOOT_ATTEMPT = sha256(encodeText('Calling EFI Application from Boot Option'));
/** EV_SEPARATOR: four zero bytes close the part of the firmware. */
export const SEPARATOR: Measurement = { what: 'separator', digest: sha256(new Uint8Array(4)) };

/** The boot of a UKI by a boot loader. */
export interface BootPrograms {
  readonly loader: Uint8Array;
  readonly uki: Uint8Array;
  readonly secureBoot: boolean;
}

/**
 * measurePcr4 gives what is measured into PCR 4 when the first boot option works: loader, then UKI.
 * With Secure Boot the stub hands its kernel to the firmware behind a security override, which leaves the firmware's
 * measurement out; without Secure Boot the kernel inside the UKI is measured as a program of its own.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function measurePcr4({ loader, uki, secureBoot }: BootPrograms): Measurement[] {
  return [
    { what: 'boot of a boot option', digest: BOOT_ATTEMPT },
    SEPARATOR,
    { what: 'boot loader', digest: authenticodeDigest(loader) },
    { what: 'UKI', digest: authenticodeDigest(uki) },
    ...(secureBoot ? [] : [{ what: 'kernel of the UKI', digest: authenticodeDigest(readUki(uki).linux) }]),
  ];
}

/** predictPcr4 gives the SHA-256 value of PCR 4 after measurePcr4. @throws formats/pe-invalid, formats/truncated, formats/limit */
export function predictPcr4(boot: BootPrograms): Uint8Array {
  return replayMeasurements(measurePcr4(boot));
}
