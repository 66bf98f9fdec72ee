import { PlinthError } from '@plinth/base';
import { type PeSection, readPeHead } from '@plinth/formats';

/** As much of a UKI as its headers may take. */
export const UKI_HEAD_BYTES = 4096;

const SECTIONS_MAXIMUM = 40;

export interface UkiHead {
  readonly sections: readonly PeSection[];
  /** How long the file is that has these headers: to the end of its sections and its signature. */
  readonly fileBytes: number;
}

/** readUkiHead reads the headers of a UKI from its first bytes; undefined when they are none. */
export function readUkiHead(head: Uint8Array): UkiHead | undefined {
  try {
    const { sections, certificates } = readPeHead(head);
    if (sections.length > SECTIONS_MAXIMUM) return undefined;
    const ends = sections.map(({ fileOffset, fileSizeBytes }) => fileOffset + fileSizeBytes);
    return { sections, fileBytes: Math.max(...ends, certificates.offset + certificates.sizeBytes) };
  } catch (reason) {
    if (reason instanceof PlinthError) return undefined;
    throw reason;
  }
}

/** isWholeUki tells whether a file has at least the length that its headers promise. A cut rename leaves empty ones. */
export function isWholeUki(head: Uint8Array, sizeBytes: number): boolean {
  const found = readUkiHead(head);
  return found !== undefined && found.sections.length > 0 && sizeBytes >= found.fileBytes;
}
