import { crc32 } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { encodeGuid } from '../efi/guid.ts';
import {
  GPT_ENTRY_BYTES,
  GPT_HEADER_BYTES,
  type GptPlace,
  type GptTables,
  gptHeaderCrc,
} from './gpt-tables.ts';

/** What becomes of one partition; all else of it stays. */
export interface GptEdit {
  /** As in /dev/vda3: position in the table, from 1. */
  readonly number: number;
  /** At most 36 UTF-16 units. */
  readonly label: string;
  /** Unique id of the partition. */
  readonly uuid: string;
}

/** Bytes that go to one place of the disk. */
export interface GptWrite {
  readonly what: 'backup entries' | 'backup header' | 'primary entries' | 'primary header';
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

const LABEL_UNITS = 36;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * editGpt gives partitions other labels and ids, in both tables. The writes are to be done in order, each flushed before the next: at
 * every point, also in the middle of one, at least one table is sound, and firmware and kernel see all of the old or all of the new.
 * The backup goes first, except when the primary table is not sound: then it is made anew first, and the backup is what counts till then.
 * @throws formats/gpt-invalid for partitions that are not there, values that do not fit, or tables of different disks
 */
export function editGpt(tables: GptTables, edits: readonly GptEdit[]): GptWrite[] {
  const { valid, primary, backup, otherPlace, sectorBytes } = tables;
  const entries = valid.entries.slice();
  for (const edit of edits) applyEdit(tables, entries, edit);
  assertUnique(tables, edits);
  const other = valid === primary ? backup : primary;
  if (other) assertSameDisk(valid.header, other.header);
  const lastEntryLba = otherPlace.entriesLba + entries.length / sectorBytes - 1;
  const [firstUsable, lastUsable] = usable(valid.header);
  if (otherPlace.entriesLba < 2 || (lastEntryLba >= firstUsable && otherPlace.entriesLba <= lastUsable)) {
    throw refuse('the partition table', 'the other table has no room beside the partitions', 'it to have');
  }
  const [validName, otherName] =
    valid === primary ? (['primary', 'backup'] as const) : (['backup', 'primary'] as const);
  return [
    // What is not sound, or does not count yet, is written first: until it is whole, the other one is all there is.
    ...writes(tables, otherName, other?.header ?? valid.header, entries, [otherPlace, valid]),
    ...writes(tables, validName, valid.header, entries, [valid, otherPlace]),
  ];
}

function applyEdit({ valid }: GptTables, entries: Uint8Array, { number, label, uuid }: GptEdit): void {
  const partition = `partition ${number}`;
  if (!Number.isInteger(number) || number < 1 || number > valid.entryCount) {
    throw refuse(partition, `the table has ${valid.entryCount} entries`, 'a number of one of them');
  }
  const at = (number - 1) * GPT_ENTRY_BYTES;
  if (entries.subarray(at, at + 16).every((byte) => byte === 0))
    throw refuse(partition, 'it is free', 'one in use');
  if (label.length > LABEL_UNITS || label.includes('\0') || !label.isWellFormed()) {
    throw refuse(
      partition,
      `label "${label}" does not fit`,
      `at most ${LABEL_UNITS} characters, none of them NUL`,
    );
  }
  if (!UUID.test(uuid)) throw refuse(partition, `id "${uuid}" is none`, '32 hexadecimal digits in groups');
  entries.set(encodeGuid(uuid), at + 16);
  entries.fill(0, at + 56, at + GPT_ENTRY_BYTES);
  entries.set(Buffer.from(label, 'utf16le'), at + 56);
}

/** Two partitions of one id would make it a matter of luck which of them a boot finds. */
function assertUnique({ partitions }: GptTables, edits: readonly GptEdit[]): void {
  const ids = new Map(partitions.map(({ number, uuid }) => [number, uuid]));
  for (const { number, uuid } of edits) ids.set(number, uuid.toLowerCase());
  if (ids.size !== new Set(ids.values()).size) {
    throw refuse('partition ids', 'two partitions would have the same', 'each to have its own');
  }
}

/** The valid table is written over the other one: they must be of the same disk, and differ in nothing but their partitions. */
function assertSameDisk(valid: Uint8Array, other: Uint8Array): void {
  // Usable sectors and disk id; number and size of entries.
  for (const [start, end] of [
    [40, 72],
    [80, 88],
  ] as const) {
    if (Buffer.compare(valid.subarray(start, end), other.subarray(start, end)) !== 0) {
      throw refuse('the partition table', 'its two headers describe different disks', 'the same one');
    }
  }
}

function writes(
  { sectorBytes, valid }: GptTables,
  name: 'primary' | 'backup',
  model: Uint8Array,
  entries: Uint8Array,
  [own, other]: readonly [GptPlace, GptPlace],
): GptWrite[] {
  const header = model.slice();
  const view = viewOf(header);
  view.setBigUint64(24, BigInt(own.headerLba), true);
  view.setBigUint64(32, BigInt(other.headerLba), true);
  view.setBigUint64(72, BigInt(own.entriesLba), true);
  view.setUint32(88, crc32(entries.subarray(0, valid.entryCount * GPT_ENTRY_BYTES)), true);
  view.setUint32(16, gptHeaderCrc(header), true);
  return [
    { what: `${name} entries`, offsetBytes: own.entriesLba * sectorBytes, bytes: entries },
    { what: `${name} header`, offsetBytes: own.headerLba * sectorBytes, bytes: header },
  ];
}

function usable(header: Uint8Array): readonly [number, number] {
  const view = viewOf(header.subarray(0, GPT_HEADER_BYTES));
  return [Number(view.getBigUint64(40, true)), Number(view.getBigUint64(48, true))];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refuse(what: string, state: string, expected: string): PlinthError {
  return new PlinthError('formats/gpt-invalid', `Cannot edit ${what}: ${state}, expected ${expected}`);
}
