import { ByteView, decodeText } from '../byte-view.ts';

export interface PeSection {
  /** ".linux"; at most eight bytes in the file. */
  readonly name: string;
  /** Size in memory; file content behind it is padding. */
  readonly virtualSizeBytes: number;
  readonly virtualAddress: number;
  readonly fileOffset: number;
  /** Size in the file, a multiple of the file alignment. */
  readonly fileSizeBytes: number;
}

/** What the headers of a PE32+ file say that signing, measuring and taking apart need. */
export interface PeHead {
  /** 0x8664 for x86-64, 0xaa64 for aarch64. */
  readonly machine: number;
  readonly coffHeaderOffset: number;
  readonly optionalHeaderOffset: number;
  readonly sectionTableOffset: number;
  readonly sections: readonly PeSection[];
  readonly headersSizeBytes: number;
  readonly fileAlignment: number;
  readonly sectionAlignment: number;
  readonly checksumOffset: number;
  /** Where the entry of the certificate table in the data directories lies. */
  readonly certificateEntryOffset: number;
  readonly certificates: { readonly offset: number; readonly sizeBytes: number };
}

/** The headers of a PE32+ file with the whole of it. */
export interface PeFile extends PeHead {
  readonly view: ByteView;
}

/** The format allows 96 for images. */
export const PE_SECTION_LIMIT = 96;
export const SECTION_HEADER_BYTES = 40;
const PE32_PLUS = 0x20b;
const CERTIFICATE_DIRECTORY = 4;

/**
 * readPe reads the headers of an EFI program (PE32+, Microsoft "PE Format"). Every section and the certificate table
 * are checked to lie inside the file.
 * @param name the file's name, for messages
 * @throws formats/pe-invalid, formats/truncated, formats/limit
 */
export function readPe(bytes: Uint8Array, name = 'given as bytes'): PeFile {
  const view = new ByteView(bytes, { what: `EFI program ${name}` });
  const file = { view, ...headOf(view) };
  checkBounds(file);
  return file;
}

/**
 * readPeHead reads the headers from the first bytes of an EFI program that is too large for memory. What they point to is not looked at:
 * it may lie outside the file.
 * @throws formats/pe-invalid, formats/truncated (the headers do not end within the bytes), formats/limit
 */
export function readPeHead(bytes: Uint8Array): PeHead {
  return headOf(new ByteView(bytes, { what: 'the headers of an EFI program' }));
}

function headOf(view: ByteView): PeHead {
  if (view.u16(0) !== 0x5a4d) throw view.fault('formats/pe-invalid', 'no DOS header, expected one');
  const header = view.u32(0x3c);
  if (view.u32(header) !== 0x4550) throw view.fault('formats/pe-invalid', 'no PE header, expected one');
  const [machine, sectionCount, optionalSize] = [
    view.u16(header + 4),
    view.u16(header + 6),
    view.u16(header + 20),
  ];
  const optional = header + 24;
  if (view.u16(optional) !== PE32_PLUS) {
    throw view.fault('formats/pe-invalid', 'a 32-bit or unknown kind of program, expected PE32+');
  }
  if (view.u32(optional + 108) <= CERTIFICATE_DIRECTORY) {
    throw view.fault(
      'formats/pe-invalid',
      'no room for a certificate table, expected at least 5 data directories',
    );
  }
  if (sectionCount > PE_SECTION_LIMIT) {
    throw view.fault('formats/limit', `${sectionCount} sections, expected at most ${PE_SECTION_LIMIT}`);
  }
  const certificateEntryOffset = optional + 112 + 8 * CERTIFICATE_DIRECTORY;
  const headersSizeBytes = view.u32(optional + 60);
  if (headersSizeBytes < certificateEntryOffset + 8) {
    throw view.fault(
      'formats/pe-invalid',
      `headers of ${headersSizeBytes} bytes, expected the data directories inside`,
    );
  }
  const sectionTableOffset = optional + optionalSize;
  return {
    machine,
    coffHeaderOffset: header + 4,
    optionalHeaderOffset: optional,
    sectionTableOffset,
    sections: Array.from({ length: sectionCount }, (_, index) =>
      readSection(view, sectionTableOffset + index * SECTION_HEADER_BYTES),
    ),
    headersSizeBytes,
    sectionAlignment: view.u32(optional + 32),
    fileAlignment: view.u32(optional + 36),
    checksumOffset: optional + 64,
    certificateEntryOffset,
    certificates: {
      offset: view.u32(certificateEntryOffset),
      sizeBytes: view.u32(certificateEntryOffset + 4),
    },
  };
}

/** peSectionBytes gives a section's content without its file padding. */
export function peSectionBytes({ view }: PeFile, section: PeSection): Uint8Array {
  return view.slice(section.fileOffset, Math.min(section.virtualSizeBytes, section.fileSizeBytes));
}

function readSection(view: ByteView, at: number): PeSection {
  return {
    name: decodeText(view.slice(at, 8)).replace(/\0[\s\S]*$/, ''),
    virtualSizeBytes: view.u32(at + 8),
    virtualAddress: view.u32(at + 12),
    fileSizeBytes: view.u32(at + 16),
    fileOffset: view.u32(at + 20),
  };
}

function checkBounds({ view, sections, headersSizeBytes, certificates }: PeFile): void {
  view.slice(0, headersSizeBytes);
  for (const { fileOffset, fileSizeBytes } of sections) {
    if (fileSizeBytes > 0) view.slice(fileOffset, fileSizeBytes);
  }
  if (certificates.sizeBytes === 0) return;
  view.slice(certificates.offset, certificates.sizeBytes);
  // Bytes behind the certificates would be neither signed nor signature: firmware refuses them too.
  if (certificates.offset + certificates.sizeBytes !== view.sizeBytes) {
    throw view.fault(
      'formats/pe-invalid',
      'its certificate table is not at its end, expected nothing behind it',
    );
  }
}
