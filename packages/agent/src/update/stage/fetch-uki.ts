import { createHash, type Hash } from 'node:crypto';
import { parseBootEntryName } from '@plinth/updates';
import type { ByteRange } from '../fetch/fetch-ranges.ts';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { Esp, EspWriter } from './esp.ts';
import type { ProgressMeter } from './progress.ts';
import type { ReleaseFile } from './release-files.ts';
import { readUkiHead, UKI_HEAD_BYTES } from './whole-uki.ts';

export interface FetchUkiParts {
  readonly esp: Esp;
  readonly fetcher: Fetcher;
  readonly uki: ReleaseFile;
  readonly meter: ProgressMeter;
  /** The name it gets. */
  readonly file: string;
  readonly signal: AbortSignal;
}

/** A write of the ESP lasts until it is on the medium: few large ones, and the next is filled meanwhile. */
const WRITE_BYTES = 2 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;
/** Sections that are smaller are fetched: they are what differs. */
const WORTH_BYTES = 64 * 1024;
/**
 * What differs in a large section is at its ends: behind the initrd proper lies a small archive that knows the root hash of its image. The ends
 * are fetched, and may differ in length.
 */
const START_BYTES = 4 * 1024;
const END_BYTES = 12 * 1024;

/** Bytes of a file on the ESP that a new one has at another place. */
interface Copy extends ByteRange {
  readonly from: string;
  readonly fromOffset: number;
}

/**
 * guessUki makes the UKI from sections of those on the ESP, and fetches the rest. Nothing says which sections are the same: one of the same name and
 * about the same length is taken for it, but for its ends, and the hash of the whole file tells whether that was right.
 * @returns false when it was not, or there is nothing to guess by
 * @throws what fetching and the ESP throw
 */
export async function guessUki(parts: FetchUkiParts): Promise<boolean> {
  const { esp, fetcher, uki, meter, file, signal } = parts;
  const copies = await planCopies(parts);
  if (copies.length === 0) return false;
  const writer = await openWriter(esp, file);
  const copyUpTo = async (offset: number) => {
    for (let copy = copies[0]; copy && copy.offset < offset; copy = copies[0]) {
      copies.shift();
      for (let done = 0; done < copy.sizeBytes; done += COPY_BYTES) {
        signal.throwIfAborted();
        const bytes = await esp.read(
          copy.from,
          copy.fromOffset + done,
          Math.min(COPY_BYTES, copy.sizeBytes - done),
        );
        await writer.write(bytes);
        meter.copied(bytes.length);
        meter.done(bytes.length);
      }
    }
  };
  try {
    await fetcher.ranges({
      ...{ path: uki.path, fileBytes: uki.sizeBytes, blockBytes: 1, ranges: gaps(copies, uki.sizeBytes) },
      async accept(offset, bytes) {
        await copyUpTo(offset);
        await writer.write(bytes);
        meter.done(bytes.length);
        return bytes.length;
      },
    });
    await copyUpTo(uki.sizeBytes);
  } finally {
    await writer.close();
  }
  return writer.digest() === uki.sha256;
}

/** The head of the new file is looked at before it is known to be right: what it leads to is checked at the end. */
async function planCopies({ esp, fetcher, uki }: FetchUkiParts): Promise<Copy[]> {
  const head = Buffer.alloc(Math.min(UKI_HEAD_BYTES, uki.sizeBytes));
  await fetcher.ranges({
    ...{ path: uki.path, fileBytes: uki.sizeBytes, blockBytes: head.length },
    ranges: [{ offset: 0, sizeBytes: head.length }],
    async accept(_, bytes) {
      bytes.copy(head);
      return bytes.length;
    },
  });
  const wanted = readUkiHead(head);
  if (!wanted || wanted.fileBytes > uki.sizeBytes) return [];
  const copies: Copy[] = [];
  for (const { name: from, sizeBytes } of await esp.list()) {
    if (!parseBootEntryName(from) || sizeBytes < UKI_HEAD_BYTES) continue;
    const known = readUkiHead(await esp.read(from, 0, UKI_HEAD_BYTES));
    if (!known || known.fileBytes > sizeBytes) continue;
    for (const section of wanted.sections) {
      const offset = section.fileOffset + START_BYTES;
      if (section.virtualSizeBytes < WORTH_BYTES || copies.some((copy) => copy.offset === offset)) continue;
      const same = known.sections.find(
        ({ name, virtualSizeBytes }) =>
          name === section.name && Math.abs(virtualSizeBytes - section.virtualSizeBytes) < END_BYTES / 2,
      );
      if (!same) continue;
      const sectionBytes = Math.min(section.virtualSizeBytes, same.virtualSizeBytes);
      copies.push({
        ...{ from, fromOffset: same.fileOffset + START_BYTES, offset },
        sizeBytes: sectionBytes - START_BYTES - END_BYTES,
      });
    }
  }
  copies.sort((left, right) => left.offset - right.offset);
  const overlap = copies.some(({ offset }, index) => {
    const before = copies[index - 1];
    return before !== undefined && before.offset + before.sizeBytes > offset;
  });
  return overlap ? [] : copies;
}

function gaps(copies: readonly Copy[], sizeBytes: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  let at = 0;
  for (const copy of [...copies, { offset: sizeBytes, sizeBytes: 0 }]) {
    if (copy.offset > at) ranges.push({ offset: at, sizeBytes: copy.offset - at });
    at = copy.offset + copy.sizeBytes;
  }
  return ranges;
}

/** fetchUki fetches the whole file; a server that gives another one is left. @throws what fetching and the ESP throw */
export async function fetchUki({ esp, fetcher, uki, meter, file }: FetchUkiParts): Promise<void> {
  let writer = await openWriter(esp, file);
  try {
    await fetcher.ranges({
      ...{ path: uki.path, fileBytes: uki.sizeBytes, blockBytes: 1 },
      ranges: [{ offset: 0, sizeBytes: uki.sizeBytes }],
      async accept(_, bytes) {
        await writer.write(bytes);
        meter.done(bytes.length);
        return bytes.length;
      },
      together: {
        async restart() {
          await writer.close();
          writer = await openWriter(esp, file);
        },
        isGood: async () => writer.digest() === uki.sha256,
      },
    });
  } finally {
    await writer.close();
  }
}

interface HashingWriter extends EspWriter {
  /** Of all that was written so far. */
  digest(): string;
}

async function openWriter(esp: Esp, name: string): Promise<HashingWriter> {
  const hash: Hash = createHash('sha256');
  const file = await esp.create(name);
  const buffers = [Buffer.alloc(WRITE_BYTES), Buffer.alloc(WRITE_BYTES)] as const;
  let [buffer, spare] = buffers;
  let bufferedBytes = 0;
  let pending: Promise<void> = Promise.resolve();
  const drain = async () => {
    await pending;
    const bytes = buffer.subarray(0, bufferedBytes);
    [buffer, spare, bufferedBytes] = [spare, buffer, 0];
    if (bytes.length === 0) return;
    pending = file.write(bytes);
    pending.catch(() => {}); // the next call tells
  };
  return {
    async write(bytes) {
      hash.update(bytes);
      if (bufferedBytes + bytes.length > buffer.length) await drain();
      buffer.set(bytes, bufferedBytes);
      bufferedBytes += bytes.length;
    },
    async close() {
      try {
        await drain();
        await pending;
      } finally {
        await file.close();
      }
    },
    digest: () => hash.copy().digest('hex'),
  };
}
