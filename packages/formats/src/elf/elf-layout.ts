import { ByteView } from '../byte-view.ts';

export interface ElfSegment {
  readonly type: 'load' | 'dynamic' | 'interp' | 'note' | 'other';
  readonly offset: number;
  readonly address: number;
  /** Size in the file, not in memory. */
  readonly sizeBytes: number;
  readonly align: number;
}

export interface ElfSection {
  readonly name: string;
  readonly isNote: boolean;
  /** False for sections that take no room in the file (SHT_NOBITS, SHT_NULL). */
  readonly hasBytes: boolean;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly align: number;
}

/** The skeleton of an ELF file: its headers and tables, independent of class and byte order. */
export interface ElfLayout {
  readonly view: ByteView;
  readonly bits: 32 | 64;
  readonly bigEndian: boolean;
  readonly fileType: number;
  readonly machine: number;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
}

/** Kernel modules have about a hundred sections; objects made with -ffunction-sections some tens of thousands. */
const SECTION_LIMIT = 65_536;
const SEGMENT_LIMIT = 4096;

const SHT_NOTE = 7;
const SHT_NOBITS = 8;
const segmentTypes: Readonly<Record<number, ElfSegment['type']>> = {
  1: 'load',
  2: 'dynamic',
  3: 'interp',
  4: 'note',
};

/** isElf tells whether bytes begin as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** readElfLayout reads the file header and both tables (gABI chapters 4 and 5, both classes, both byte orders). */
export function readElfLayout(bytes: Uint8Array, what: string): ElfLayout {
  const identity = new ByteView(bytes, { what });
  const [classByte, orderByte] = [identity.u8(4), identity.u8(5)];
  if ((classByte !== 1 && classByte !== 2) || (orderByte !== 1 && orderByte !== 2)) {
    throw identity.fault(
      'formats/elf-invalid',
      `class ${classByte} and order ${orderByte}, expected 1 or 2 each`,
    );
  }
  const bits = classByte === 2 ? 64 : 32;
  const bigEndian = orderByte === 2;
  const view = new ByteView(bytes, { what, bigEndian });
  return {
    view,
    bits,
    bigEndian,
    fileType: view.u16(16),
    machine: view.u16(18),
    segments: readSegments(view, bits),
    sections: readSections(view, bits),
  };
}

function readSegments(view: ByteView, bits: 32 | 64): ElfSegment[] {
  const wide = bits === 64;
  const tableOffset = wide ? view.u64(32) : view.u32(28);
  const [entrySize, count] = wide ? [view.u16(54), view.u16(56)] : [view.u16(42), view.u16(44)];
  if (count === 0) return [];
  checkTable(view, 'segment', entrySize, wide ? 56 : 32, count, SEGMENT_LIMIT);
  return Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * entrySize;
    const type = segmentTypes[view.u32(at)] ?? 'other';
    return wide
      ? {
          type,
          offset: view.u64(at + 8),
          // Kernel images are linked above 2^63; an address only ever serves to find a file offset.
          address: view.u64Clamped(at + 16),
          sizeBytes: view.u64(at + 32),
          align: view.u64(at + 48),
        }
      : {
          type,
          offset: view.u32(at + 4),
          address: view.u32(at + 8),
          sizeBytes: view.u32(at + 16),
          align: view.u32(at + 28),
        };
  });
}

function readSections(view: ByteView, bits: 32 | 64): ElfSection[] {
  const wide = bits === 64;
  const tableOffset = wide ? view.u64(40) : view.u32(32);
  const header = wide ? 58 : 46;
  const [entrySize, namesIndex] = [view.u16(header), view.u16(header + 4)];
  const count = view.u16(header + 2);
  if (tableOffset === 0 || count === 0) return [];
  checkTable(view, 'section', entrySize, wide ? 64 : 40, count, SECTION_LIMIT);
  const raw = Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * entrySize;
    const type = view.u32(at + 4);
    return {
      nameOffset: view.u32(at),
      isNote: type === SHT_NOTE,
      hasBytes: type !== 0 && type !== SHT_NOBITS,
      offset: wide ? view.u64(at + 24) : view.u32(at + 16),
      sizeBytes: wide ? view.u64(at + 32) : view.u32(at + 20),
      align: wide ? view.u64(at + 48) : view.u32(at + 32),
    };
  });
  const names = raw[namesIndex];
  if (!names?.hasBytes) return raw.map(({ nameOffset: _, ...section }) => ({ ...section, name: '' }));
  const texts = new ByteView(view.slice(names.offset, names.sizeBytes), { what: view.what });
  return raw.map(({ nameOffset, ...section }) => ({ ...section, name: texts.cString(nameOffset) }));
}

function checkTable(
  view: ByteView,
  what: string,
  entrySize: number,
  expectedSize: number,
  count: number,
  limit: number,
): void {
  if (entrySize !== expectedSize) {
    throw view.fault(
      'formats/elf-invalid',
      `${what} entries of ${entrySize} bytes, expected ${expectedSize}`,
    );
  }
  if (count > limit) throw view.fault('formats/limit', `${count} ${what}s, expected at most ${limit}`);
}
