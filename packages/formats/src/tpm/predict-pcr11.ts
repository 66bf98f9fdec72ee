import { PlinthError } from '@plinth/base';
import { encodeText, sha256 } from '../bytes.ts';
import { extendPcr, type Measurement, replayMeasurements } from './pcr.ts';

/** The boot phases systemd-pcrphase passes through, in order. */
export const BOOT_PHASES = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'] as const;

/** The only phase whose value is signed: what is sealed to it is given in the initrd and never to the running system. */
export const SEALING_PHASE = BOOT_PHASES[0];

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
 * measurePcr11 gives what systemd-stub measures of a unified kernel image into PCR 11: each section by its name with the
 * closing NUL, then by its content.
 * @param sections by name, as `readUki` gives them
 * @throws formats/pe-invalid for a UKI whose measurements depend on the machine
 */
export function measurePcr11(sections: ReadonlyMap<string, Uint8Array>): Measurement[] {
  const unpredictable = unpredictableSections.find((name) => sections.has(name));
  if (unpredictable) {
    const state = `section ${unpredictable} is used by some machines only, expected none like it`;
    throw new PlinthError('formats/pe-invalid', `Cannot predict PCR 11: ${state}`);
  }
  return measuredSections.flatMap((name) => {
    const content = sections.get(name);
    if (!content?.length) return [];
    return [
      { what: `name of section ${name}`, digest: sha256(encodeText(`${name}\0`)) },
      { what: `section ${name}`, digest: sha256(content) },
    ];
  });
}

/** measurePhases gives what systemd-pcrphase measures into PCR 11 after that: the phases, as plain words. */
export function measurePhases(): Measurement[] {
  return BOOT_PHASES.map((word) => ({ what: `phase ${word}`, digest: sha256(encodeText(word)) }));
}

/** predictPcr11 gives the SHA-256 values PCR 11 takes while a unified kernel image boots, one for each phase. @throws as measurePcr11 */
export function predictPcr11(sections: ReadonlyMap<string, Uint8Array>): PcrAtPhase[] {
  let value = replayMeasurements(measurePcr11(sections));
  return measurePhases().map(({ digest }, index) => {
    value = extendPcr(value, digest);
    return { phase: BOOT_PHASES.slice(0, index + 1).join(':'), value };
  });
}
