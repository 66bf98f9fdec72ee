import { PlinthError } from '@plinth/base';
import { encodeText, sha256 } from '../bytes.ts';
import { extendPcr, replayPcr } from './pcr.ts';

/** The boot phases systemd-pcrphase passes through, in order. */
export const BOOT_PHASES = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'] as const;

/**
 * Sections systemd-stub 257 measures, in its order, whatever their order in the file. `.pcrsig` is not among them: it
 * signs the result. (systemd-stub(7), "TPM PCR Notes"; UAPI.5.)
 */
const measuredSections = [
  '.linux',
  '.osrel',
  '.cmdline',
  '.initrd',
  '.ucode',
  '.splash',
  '.dtb',
  '.uname',
  '.sbat',
  '.pcrpkey',
  '.profile',
] as const;

/** With these the stub picks a device tree by the machine it runs on, so no value holds for all machines. */
const unpredictableSections = ['.dtbauto', '.hwids'] as const;

export interface PcrAtPhase {
  /** "enter-initrd:leave-initrd:sysinit": everything passed so far. */
  readonly phase: string;
  readonly value: Uint8Array;
}

/**
 * predictPcr11 gives the SHA-256 values PCR 11 takes while a unified kernel image boots, one for each phase. Each
 * section extends twice: by its name with the closing NUL, then by its content. The phases follow as plain words.
 * @param sections by name, as `readUki` gives them
 * @throws formats/pe-invalid for a UKI whose measurements depend on the machine
 */
export function predictPcr11(sections: ReadonlyMap<string, Uint8Array>): PcrAtPhase[] {
  const unpredictable = unpredictableSections.find((name) => sections.has(name));
  if (unpredictable) {
    const state = `section ${unpredictable} is used by some machines only, expected none like it`;
    throw new PlinthError('formats/pe-invalid', `Cannot predict PCR 11: ${state}`);
  }
  const digests = measuredSections.flatMap((name) => {
    const content = sections.get(name);
    return content?.length ? [sha256(encodeText(`${name}\0`)), sha256(content)] : [];
  });
  let value = replayPcr(digests);
  return BOOT_PHASES.map((word, index) => {
    value = extendPcr(value, sha256(encodeText(word)));
    return { phase: BOOT_PHASES.slice(0, index + 1).join(':'), value };
  });
}
