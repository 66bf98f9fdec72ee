/** As much of a UKI as its headers may take. */
export const UKI_HEAD_BYTES = 4096;

const PE32_PLUS = 0x20b;
const SECTION_BYTES = 40;
const SECTIONS_MAXIMUM = 40;

/** One section of a UKI by its header: where its bytes are in the file. */
export interface UkiSection {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Without the padding. */
  readonly contentBytes: number;
}

export interface UkiHead {
  readonly sections: readonly UkiSection[];
  /** How long the file is that has these headers: to the end of its sections and its signature. */
  readonly fileBytes: number;
}

/** readUkiHead reads the headers of a PE file from its first bytes; undefined when they are none (Microsoft PE format). */
export function readUkiHead(head: Uint8Array): UkiHead | undefined {
  try {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    if (view.getUint16(0, true) !== 0x5a4d) return undefined;
    const coff = view.getUint32(0x3c, true);
    if (view.getUint32(coff, true) !== 0x4550) return undefined;
    const count = view.getUint16(coff + 6, true);
    const optional = coff + 24;
    if (view.getUint16(optional, true) !== PE32_PLUS || count > SECTIONS_MAXIMUM) return undefined;
    const table = optional + view.getUint16(coff + 20, true);
    const sections = Array.from({ length: count }, (_, index): UkiSection => {
      const at = table + index * SECTION_BYTES;
      const name = Buffer.from(head.subarray(at, at + 8))
        .toString('latin1')
        .replace(/\0.*$/s, '');
      const [contentBytes, sizeBytes, offset] = [8, 16, 20].map((field) =>
        view.getUint32(at + field, true),
      ) as [number, number, number];
      return { name, contentBytes, sizeBytes, offset };
    });
    // The directory of certificates is the only one whose address is an offset in the file.
    const directories = view.getUint32(optional + 108, true);
    const certificates = directories > 4 ? optional + 112 + 4 * 8 : undefined;
    const ends = sections.map(({ offset, sizeBytes }) => offset + sizeBytes);
    if (certificates !== undefined)
      ends.push(view.getUint32(certificates, true) + view.getUint32(certificates + 4, true));
    return { sections, fileBytes: Math.max(...ends) };
  } catch (reason) {
    if (reason instanceof RangeError) return undefined;
    throw reason;
  }
}

/** isWholeUki tells whether a file has at least the length that its headers promise. A cut rename leaves empty ones. */
export function isWholeUki(head: Uint8Array, sizeBytes: number): boolean {
  const found = readUkiHead(head);
  return found !== undefined && found.sections.length > 0 && sizeBytes >= found.fileBytes;
}
