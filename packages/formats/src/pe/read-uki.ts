import { PlinthError } from '@plinth/base';
import { decodeText } from '../byte-view.ts';
import { peSectionBytes, readPe } from './read-pe.ts';

/** Sections of a unified kernel image that Plinth writes (UAPI.5); texts are decoded, without trailing NULs. */
export interface Uki {
  readonly linux: Uint8Array;
  readonly initrd: Uint8Array | undefined;
  readonly cmdline: string | undefined;
  readonly osRelease: string | undefined;
  readonly uname: string | undefined;
  readonly sbat: string | undefined;
  /** Public key of PCR signatures, PEM. */
  readonly pcrPublicKey: string | undefined;
  /** Signatures of expected PCR values, JSON. */
  readonly pcrSignatures: string | undefined;
  /** Every section by name with its bytes, as it was measured; the first one where a name is repeated. */
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

/**
 * readUki takes a unified kernel image apart (UAPI.5). Multi-profile images are not something Plinth makes: refused.
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function readUki(bytes: Uint8Array, name = 'given as bytes'): Uki {
  const file = readPe(bytes, `UKI ${name}`);
  const sections = new Map<string, Uint8Array>();
  for (const section of file.sections) {
    if (sections.has(section.name) && section.name.startsWith('.')) {
      throw invalid(name, `two ${section.name} sections`, 'each once');
    }
    sections.set(section.name, peSectionBytes(file, section));
  }
  const linux = sections.get('.linux');
  if (!linux) throw invalid(name, 'no .linux section', 'a kernel in it');
  return {
    linux,
    initrd: sections.get('.initrd'),
    cmdline: textOf(sections.get('.cmdline')),
    osRelease: textOf(sections.get('.osrel')),
    uname: textOf(sections.get('.uname')),
    sbat: textOf(sections.get('.sbat')),
    pcrPublicKey: textOf(sections.get('.pcrpkey')),
    pcrSignatures: textOf(sections.get('.pcrsig')),
    sections,
  };
}

function textOf(content: Uint8Array | undefined): string | undefined {
  return content && decodeText(content).replace(/\0+$/, '');
}

function invalid(name: string, state: string, expected: string): PlinthError {
  return new PlinthError('formats/pe-invalid', `Cannot read UKI ${name}: ${state}, expected ${expected}`);
}
