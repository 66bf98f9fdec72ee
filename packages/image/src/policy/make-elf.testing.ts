/** What a test wants in its program. */
export interface ElfShape {
  readonly needed?: readonly string[];
  readonly runpath?: string;
  readonly interpreter?: string;
  /** JSON of a dlopen note (UAPI.12). */
  readonly dlopen?: unknown;
  /** Text that lies somewhere in the file. */
  readonly text?: string;
  /** EM_X86_64 by default. */
  readonly machine?: number;
}

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;

/** makeElf lays out a small 64-bit shared object with the segments that loaders and readers look at; for tests. */
export function makeElf(shape: ElfShape = {}): Buffer {
  const texts = ['', ...(shape.needed ?? []), shape.runpath ?? ''];
  const offsets: number[] = [];
  let stringBytes = 0;
  for (const text of texts) {
    offsets.push(stringBytes);
    stringBytes += Buffer.byteLength(text) + 1;
  }
  const strings = Buffer.from(`${texts.join('\0')}\0`);
  const note = shape.dlopen === undefined ? Buffer.alloc(0) : dlopenNote(JSON.stringify(shape.dlopen));
  const loader = Buffer.from(shape.interpreter === undefined ? '' : `${shape.interpreter}\0`);
  const extra = Buffer.from(shape.text ?? '');

  const segmentCount = 4;
  const stringsAt = HEADER_BYTES + segmentCount * SEGMENT_BYTES;
  const dynamic = dynamicSection(shape, offsets, stringsAt);
  const dynamicAt = align(stringsAt + strings.length);
  const noteAt = align(dynamicAt + dynamic.length);
  const loaderAt = align(noteAt + note.length);
  const textAt = loaderAt + loader.length;
  const file = Buffer.alloc(textAt + extra.length);

  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(3, 16);
  file.writeUInt16LE(shape.machine ?? 62, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  file.writeUInt16LE(HEADER_BYTES, 52);
  file.writeUInt16LE(SEGMENT_BYTES, 54);
  file.writeUInt16LE(segmentCount, 56);
  const segment = (index: number, type: number, at: number, sizeBytes: number) => {
    const header = HEADER_BYTES + index * SEGMENT_BYTES;
    file.writeUInt32LE(sizeBytes === 0 ? 0 : type, header);
    file.writeBigUInt64LE(BigInt(at), header + 8);
    file.writeBigUInt64LE(BigInt(at), header + 16);
    file.writeBigUInt64LE(BigInt(sizeBytes), header + 32);
    file.writeBigUInt64LE(4n, header + 48);
  };
  segment(0, 1, 0, file.length);
  segment(1, 2, dynamicAt, dynamic.length);
  segment(2, 4, noteAt, note.length);
  segment(3, 3, loaderAt, loader.length);
  strings.copy(file, stringsAt);
  dynamic.copy(file, dynamicAt);
  note.copy(file, noteAt);
  loader.copy(file, loaderAt);
  extra.copy(file, textAt);
  return file;
}

function dynamicSection(shape: ElfShape, offsets: readonly number[], stringsAt: number): Buffer {
  const needed = (shape.needed ?? []).map((_, index) => [1, offsets[index + 1] ?? 0] as const);
  const runpath = shape.runpath === undefined ? [] : [[29, offsets.at(-1) ?? 0] as const];
  const entries = [...needed, ...runpath, [5, stringsAt] as const, [0, 0] as const];
  const section = Buffer.alloc(entries.length * 16);
  entries.forEach(([tag, value], index) => {
    section.writeBigUInt64LE(BigInt(tag), index * 16);
    section.writeBigUInt64LE(BigInt(value), index * 16 + 8);
  });
  return section;
}

function dlopenNote(json: string): Buffer {
  const data = Buffer.from(`${json}\0`);
  const note = Buffer.alloc(16 + align(data.length));
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(data.length, 4);
  note.writeUInt32LE(0x407c0c0a, 8);
  note.write('FDO\0', 12, 'latin1');
  data.copy(note, 16);
  return note;
}

function align(value: number): number {
  return Math.ceil(value / 8) * 8;
}
