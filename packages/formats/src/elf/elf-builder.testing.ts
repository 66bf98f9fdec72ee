import { alignUp, encodeText } from '../bytes.ts';

/** The parts of a small ELF file for tests. */
export interface ElfParts {
  readonly bits: 32 | 64;
  readonly bigEndian: boolean;
  readonly interpreter?: string;
  readonly needed: readonly string[];
  readonly soname?: string;
  readonly notes: readonly { readonly owner: string; readonly type: number; readonly data: Uint8Array }[];
  readonly goBuildInfo?: Uint8Array;
}

const PT = { load: 1, dynamic: 2, interp: 3, note: 4 } as const;
const DT = { needed: 1, strtab: 5, soname: 14 } as const;
const BASE_ADDRESS = 0x40_0000;

/** Grows bytes at their end and writes numbers of either width and order. */
class Writer {
  #bytes: number[] = [];
  readonly #bits: 32 | 64;
  readonly #bigEndian: boolean;

  constructor(bits: 32 | 64, bigEndian: boolean) {
    this.#bits = bits;
    this.#bigEndian = bigEndian;
  }

  number(value: number, sizeBytes: number): void {
    const digits = Array.from({ length: sizeBytes }, (_, index) => Math.floor(value / 256 ** index) % 256);
    this.#bytes.push(...(this.#bigEndian ? digits.reverse() : digits));
  }

  word(...values: number[]): void {
    for (const value of values) this.number(value, this.#bits / 8);
  }

  raw(bytes: Iterable<number>): void {
    this.#bytes.push(...bytes);
  }

  align(step: number): void {
    while (this.#bytes.length % step !== 0) this.#bytes.push(0);
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** buildElf lays the parts out as one load segment behind the headers, with sections for notes and Go. */
export function buildElf(parts: ElfParts): Uint8Array {
  const { bits, bigEndian } = parts;
  const writer = () => new Writer(bits, bigEndian);
  const [headerSize, segmentSize, sectionSize] = bits === 64 ? [64, 56, 64] : [52, 32, 40];
  const texts = textTable(['', ...parts.needed, parts.soname ?? '', '.go.buildinfo', '.names']);
  const areas = {
    texts: texts.bytes,
    interp: encodeText(`${parts.interpreter ?? ''}\0`),
    dynamic: dynamicArea(writer(), parts, texts.offsetOf, 0),
    note: noteArea(writer(), parts.notes),
    go: parts.goBuildInfo ?? new Uint8Array(),
  };
  const segments = [
    'load',
    'dynamic',
    'note',
    ...(parts.interpreter === undefined ? [] : ['interp']),
  ] as const;
  let end = headerSize + segments.length * segmentSize;
  const offsets: Record<string, number> = {};
  for (const [name, bytes] of Object.entries(areas)) {
    offsets[name] = alignUp(end, 8);
    end = alignUp(end, 8) + bytes.length;
  }
  const at = (name: string) => offsets[name] ?? 0;
  areas.dynamic = dynamicArea(writer(), parts, texts.offsetOf, BASE_ADDRESS + at('texts'));
  const sectionsAt = alignUp(end, 8);
  const sectionCount = parts.goBuildInfo ? 3 : 0;

  const out = writer();
  out.raw([0x7f, 0x45, 0x4c, 0x46, bits / 32, bigEndian ? 2 : 1, 1, 0, ...new Uint8Array(8)]);
  out.number(3, 2);
  out.number(62, 2);
  out.number(1, 4);
  out.word(0, headerSize, sectionCount === 0 ? 0 : sectionsAt);
  out.number(0, 4);
  for (const value of [headerSize, segmentSize, segments.length, sectionSize, sectionCount])
    out.number(value, 2);
  out.number(sectionCount === 0 ? 0 : 2, 2);
  for (const name of segments) {
    const [offset, size] =
      name === 'load' ? [0, end] : [at(name), areas[name as 'dynamic' | 'note' | 'interp'].length];
    const type = PT[name as keyof typeof PT];
    out.number(type, 4);
    if (bits === 64) out.number(4, 4);
    out.word(offset, BASE_ADDRESS + offset, BASE_ADDRESS + offset, size, size);
    if (bits === 32) out.number(4, 4);
    out.word(4);
  }
  for (const bytes of Object.values(areas)) {
    out.align(8);
    out.raw(bytes);
  }
  if (sectionCount > 0) {
    out.align(8);
    out.raw(new Uint8Array(sectionSize));
    sectionHeader(out, texts.offsetOf('.go.buildinfo'), at('go'), areas.go.length);
    sectionHeader(out, texts.offsetOf('.names'), at('texts'), areas.texts.length);
  }
  return out.bytes;
}

function textTable(texts: readonly string[]): { bytes: Uint8Array; offsetOf: (text: string) => number } {
  const offsets = new Map<string, number>();
  const bytes: number[] = [];
  for (const text of texts) {
    if (!offsets.has(text)) offsets.set(text, bytes.length);
    bytes.push(...encodeText(`${text}\0`));
  }
  return { bytes: Uint8Array.from(bytes), offsetOf: (text) => offsets.get(text) ?? 0 };
}

function dynamicArea(
  out: Writer,
  parts: ElfParts,
  offsetOf: (text: string) => number,
  textsAddress: number,
): Uint8Array {
  for (const name of parts.needed) out.word(DT.needed, offsetOf(name));
  if (parts.soname !== undefined) out.word(DT.soname, offsetOf(parts.soname));
  out.word(DT.strtab, textsAddress, 0, 0);
  return out.bytes;
}

function noteArea(out: Writer, notes: ElfParts['notes']): Uint8Array {
  for (const { owner, type, data } of notes) {
    out.number(owner.length + 1, 4);
    out.number(data.length, 4);
    out.number(type, 4);
    out.raw(encodeText(`${owner}\0`));
    out.align(4);
    out.raw(data);
    out.align(4);
  }
  return out.bytes;
}

function sectionHeader(out: Writer, nameOffset: number, offset: number, size: number): void {
  out.number(nameOffset, 4);
  out.number(1, 4);
  out.word(0, 0, offset, size);
  out.number(0, 4);
  out.number(0, 4);
  out.word(1, 0);
}
