import {
  type ByteSource,
  checkFileSize,
  type DriveFiles,
  DriveProblem,
  FOLDER_LIMIT_BYTES,
  sameName,
} from './byte-source.ts';

// ECMA-119 (ISO 9660), 8.4 "Primary Volume Descriptor" and 9.1 "Format of a Directory Record"; names from Joliet or from
// Rock Ridge (IEEE P1282, "NM") where a volume has them. Read here and not mounted: the kernel's parsers of foreign file
// systems are no place for what a stranger plugs in.

const BLOCK = 2048;
const FIRST_DESCRIPTOR = 16;
const DESCRIPTORS_LIMIT = 16;
const [PRIMARY, SUPPLEMENTARY, TERMINATOR] = [1, 2, 255];
const [FOLDER_FLAG, MORE_EXTENTS_FLAG] = [0x02, 0x80];
/** Escape sequences by which a supplementary descriptor says that its names are UCS-2 (Joliet). */
const JOLIET = ['%/@', '%/C', '%/E'];

interface Entry {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

/** openIso9660 opens a volume; undefined when it is none. Throws as its source does, and DriveProblem for a damaged one. */
export async function openIso9660(source: ByteSource): Promise<DriveFiles | undefined> {
  const first = await source.read(FIRST_DESCRIPTOR * BLOCK, BLOCK).catch((reason: unknown) => {
    if (reason instanceof DriveProblem) return undefined; // smaller than any volume
    throw reason;
  });
  if (!first || first.readUInt8(0) !== PRIMARY || !isDescriptor(first)) return undefined;
  if (first.readUInt16LE(128) !== BLOCK) throw new DriveProblem('its blocks are not of 2048 bytes');
  const joliet = await findJoliet(source);
  const root = entryOf((joliet ?? first).subarray(156, 190), joliet !== undefined);
  return {
    label: first.toString('latin1', 40, 72).trim(),
    async readFile(path, limitBytes) {
      let at: Entry | undefined = root;
      for (const name of path) {
        if (!at || (at.flags & FOLDER_FLAG) === 0) return undefined;
        at = (await readFolder(source, at, joliet !== undefined)).find((each) => sameName(each.name, name));
      }
      if (!at || (at.flags & FOLDER_FLAG) !== 0) return undefined;
      if ((at.flags & MORE_EXTENTS_FLAG) !== 0)
        throw new DriveProblem(`${path.join('/')} lies in several pieces`);
      checkFileSize(path, at.sizeBytes, limitBytes);
      return source.read(at.offset, at.sizeBytes);
    },
  };
}

async function findJoliet(source: ByteSource): Promise<Buffer | undefined> {
  for (let index = 1; index < DESCRIPTORS_LIMIT; index++) {
    const block = await source.read((FIRST_DESCRIPTOR + index) * BLOCK, BLOCK);
    if (!isDescriptor(block) || block.readUInt8(0) === TERMINATOR) return undefined;
    if (block.readUInt8(0) === SUPPLEMENTARY && JOLIET.includes(block.toString('latin1', 88, 91)))
      return block;
  }
  return undefined;
}

function isDescriptor(block: Buffer): boolean {
  return block.toString('latin1', 1, 6) === 'CD001';
}

async function readFolder(source: ByteSource, folder: Entry, joliet: boolean): Promise<Entry[]> {
  if (folder.sizeBytes > FOLDER_LIMIT_BYTES) throw new DriveProblem('a folder of it is too large');
  const data = await source.read(folder.offset, folder.sizeBytes);
  const entries: Entry[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt8(at);
    if (length === 0) {
      // No record crosses a block; the rest of this one is empty.
      at = (Math.floor(at / BLOCK) + 1) * BLOCK;
      continue;
    }
    if (length < 34 || at + length > data.length) throw new DriveProblem('a folder of it is damaged');
    entries.push(entryOf(data.subarray(at, at + length), joliet));
    at += length;
  }
  return entries;
}

function entryOf(record: Buffer, joliet: boolean): Entry {
  const nameLength = record.readUInt8(32);
  if (33 + nameLength > record.length) throw new DriveProblem('a name of it is damaged');
  const raw = record.subarray(33, 33 + nameLength);
  // What follows the name begins at an even place.
  const own = joliet ? undefined : rockRidgeName(record.subarray(33 + nameLength + ((nameLength + 1) % 2)));
  const plain = joliet
    ? Buffer.from(raw.subarray(0, raw.length & ~1))
        .swap16()
        .toString('utf16le')
    : raw.toString('latin1');
  return {
    name: own ?? plain.replace(/\.?;\d+$/, ''),
    offset: record.readUInt32LE(2) * BLOCK,
    sizeBytes: record.readUInt32LE(10),
    flags: record.readUInt8(25),
  };
}

/** The name in "NM" fields (System Use Sharing Protocol: two letters, length, version, data). */
function rockRidgeName(area: Buffer): string | undefined {
  let name = '';
  for (let at = 0; at + 4 <= area.length; ) {
    const length = area.readUInt8(at + 2);
    if (length < 4 || at + length > area.length) break;
    if (area.toString('latin1', at, at + 2) === 'NM') name += area.toString('utf8', at + 5, at + length);
    at += length;
  }
  return name === '' ? undefined : name;
}
