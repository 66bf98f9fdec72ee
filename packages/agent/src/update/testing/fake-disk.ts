import { crc32 } from 'node:zlib';
import { encodeGuid } from '@plinth/formats';
import {
  bootEntryName,
  emptySlotNames,
  type SlotName,
  type SlotPartitionNames,
  slotNames,
} from '@plinth/updates';
import type { BlockFile } from '../stage/block-file.ts';
import type { Esp } from '../stage/esp.ts';
import type { SlotMachine } from '../stage/slot-machine.ts';
import type { SampleRelease } from './sample-release.ts';

/** What stops everything, as a power cut does. */
export class PowerCut extends Error {
  constructor() {
    super('the power is cut');
    this.name = 'PowerCut';
  }
}

/** Draws a number from 0 up to, without, `below`; the same seed gives the same draws. */
export type Draw = (below: number) => number;

/** What survives a power cut. */
export interface Medium {
  readonly disk: Uint8Array;
  /** The files of EFI/Linux. */
  readonly esp: Map<string, Uint8Array>;
}

export interface FakeDiskOptions {
  readonly medium: Medium;
  readonly booted: { readonly rootNumber: number; readonly version: string };
  /** At which write (of block devices and of the ESP, from 1) the power is cut; default: never. */
  readonly cutAt?: number;
  /** What of the writes before is on the medium then: a subset, each whole or torn. */
  readonly draw?: Draw;
  readonly espBytes?: number;
}

export interface FakeDisk extends SlotMachine {
  readonly medium: Medium;
  /** Writes so far. */
  writes(): number;
  /** Partitions that the kernel holds. */
  readonly held: Set<number>;
}

const SECTOR = 512;
const ENTRIES_SECTORS = 32;
const PIECE_BYTES = 16 * 1024;
/** Sizes of a slot in a test: enough for two levels of a hash tree. */
export const SAMPLE_BYTES = { root: 320 * 4096, verity: 16 * 4096, signature: 16 * 1024 } as const;
const FIRST_LBA = 2048;

/** A disk as os/repart.d makes it, smaller: ESP, slot a, slot b, /var. Partition 2 is the root of slot a, 5 that of slot b. */
export function sampleMedium(
  a: SampleRelease | undefined,
  b: SampleRelease | undefined,
  sizes: Readonly<Record<keyof typeof SAMPLE_BYTES, number>> = SAMPLE_BYTES,
): Medium {
  const types = {
    esp: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
    root: '4f68bce3-e8cd-4db1-96e7-fbcaf984b709',
    verity: '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5',
    signature: '41092b05-9fc8-4523-994f-2def0408b176',
    var: '4d21b016-b534-45c2-a9fb-5c16e091fd2d',
  };
  const entries: { type: string; uuid: string; label: string; sizeBytes: number; content?: Uint8Array }[] = [
    { type: types.esp, uuid: 'aaaaaaaa-0000-4000-8000-000000000001', label: 'esp', sizeBytes: 64 * 1024 },
  ];
  const addSlot = (names: SlotPartitionNames, release: SampleRelease | undefined) => {
    for (const part of ['root', 'verity', 'signature'] as const) {
      entries.push({
        type: types[part],
        ...names[part],
        sizeBytes: sizes[part],
        ...(release && { content: release[part] }),
      });
    }
  };
  addSlot(a ? slotNames(a) : emptySlotNames('a'), a);
  addSlot(b ? slotNames(b) : emptySlotNames('b'), b);
  entries.push({
    type: types.var,
    uuid: 'aaaaaaaa-0000-4000-8000-000000000002',
    label: 'var',
    sizeBytes: 64 * 1024,
  });
  const total = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const sectors = FIRST_LBA + total / SECTOR + ENTRIES_SECTORS + 1;
  const disk = new Uint8Array(sectors * SECTOR);
  const table = new Uint8Array(ENTRIES_SECTORS * SECTOR);
  const view = new DataView(table.buffer);
  let lba = FIRST_LBA;
  for (const [index, { type, uuid, label, sizeBytes, content }] of entries.entries()) {
    const at = index * 128;
    table.set(encodeGuid(type), at);
    table.set(encodeGuid(uuid), at + 16);
    view.setBigUint64(at + 32, BigInt(lba), true);
    view.setBigUint64(at + 40, BigInt(lba + sizeBytes / SECTOR - 1), true);
    table.set(Buffer.from(label, 'utf16le'), at + 56);
    if (content) disk.set(content, lba * SECTOR);
    lba += sizeBytes / SECTOR;
  }
  const last = sectors - 1;
  protectiveMbr(disk, sectors);
  disk.set(table, 2 * SECTOR);
  disk.set(table, (last - ENTRIES_SECTORS) * SECTOR);
  disk.set(gptHeader(table, last, { own: 1, other: last, table: 2 }), SECTOR);
  disk.set(gptHeader(table, last, { own: last, other: 1, table: last - ENTRIES_SECTORS }), last * SECTOR);
  const esp = new Map([a, b].flatMap((one) => (one ? [[bootEntryName(one.version), one.uki] as const] : [])));
  return { disk, esp };
}

function protectiveMbr(disk: Uint8Array, sectors: number): void {
  const view = new DataView(disk.buffer);
  disk.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446);
  view.setUint32(446 + 8, 1, true);
  view.setUint32(446 + 12, sectors - 1, true);
  disk.set([0x55, 0xaa], 510);
}

function gptHeader(
  table: Uint8Array,
  last: number,
  lbas: { readonly own: number; readonly other: number; readonly table: number },
): Uint8Array {
  const bytes = new Uint8Array(92);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('EFI PART', 'latin1'));
  view.setUint32(8, 0x1_0000, true);
  view.setUint32(12, 92, true);
  const values = [lbas.own, lbas.other, 2 + ENTRIES_SECTORS, last - ENTRIES_SECTORS - 1];
  for (const [index, value] of values.entries()) view.setBigUint64(24 + index * 8, BigInt(value), true);
  bytes.set(encodeGuid('aaaaaaaa-0000-4000-8000-000000000003'), 56);
  view.setBigUint64(72, BigInt(lbas.table), true);
  view.setUint32(80, 128, true);
  view.setUint32(84, 128, true);
  view.setUint32(88, crc32(table), true);
  view.setUint32(16, crc32(bytes), true);
  return bytes;
}

/** sampleOffset tells where a partition of a sampleMedium begins. */
export function sampleOffset(slot: SlotName, part: keyof typeof SAMPLE_BYTES): number {
  const { root, verity, signature } = SAMPLE_BYTES;
  const before = { root: 0, verity: root, signature: root + verity }[part];
  return FIRST_LBA * SECTOR + 64 * 1024 + (slot === 'b' ? root + verity + signature : 0) + before;
}

/** fakeDisk is a machine whose disk forgets what was not flushed when the power is cut. */
export function fakeDisk(options: FakeDiskOptions): FakeDisk {
  const {
    medium,
    booted,
    cutAt = Number.POSITIVE_INFINITY,
    draw = () => 0,
    espBytes = 8 * 1024 * 1024,
  } = options;
  let pending: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  let count = 0;
  const apply = ({ offset, bytes }: (typeof pending)[number]) => medium.disk.set(bytes, offset);
  /** Counts a write; at the cut, what was not flushed comes through in part, and nothing works any more. */
  const write = (torn: () => void) => {
    count++;
    if (count < cutAt) return;
    if (count === cutAt) {
      torn();
      for (const one of pending) {
        const sectors = one.bytes.length / SECTOR;
        const kept = [0, sectors, draw(sectors + 1)][draw(3)] ?? 0;
        apply({ ...one, bytes: one.bytes.subarray(0, kept * SECTOR) });
      }
      pending = [];
    }
    throw new PowerCut();
  };
  const alive = () => {
    if (count >= cutAt) throw new PowerCut();
  };
  const device = (start: number, sizeBytes: number): BlockFile => ({
    sizeBytes,
    async read(offset, lengthBytes) {
      alive();
      if (offset < 0 || offset + lengthBytes > sizeBytes) throw new Error('a read outside of the device');
      const from = start + offset;
      const bytes = medium.disk.slice(from, from + lengthBytes);
      for (const one of pending) {
        const [first, end] = [
          Math.max(one.offset, from),
          Math.min(one.offset + one.bytes.length, from + lengthBytes),
        ];
        if (first < end) bytes.set(one.bytes.subarray(first - one.offset, end - one.offset), first - from);
      }
      return bytes;
    },
    async write(offset, bytes) {
      if (offset < 0 || offset + bytes.length > sizeBytes) throw new Error('a write outside of the device');
      if (offset % SECTOR !== 0 || bytes.length % SECTOR !== 0) throw new Error('a write of half a sector');
      // A disk takes large writes in pieces, each for itself.
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        pending.push({
          offset: start + offset + at,
          bytes: new Uint8Array(bytes.subarray(at, at + PIECE_BYTES)),
        });
        write(() => {});
      }
    },
    async flush() {
      alive();
      for (const one of pending) apply(one);
      pending = [];
    },
    async close() {},
  });
  const partition = (number: number) => {
    const view = new DataView(medium.disk.buffer, medium.disk.byteOffset);
    // By the places of the entries, which no edit moves.
    const at = 2 * SECTOR + (number - 1) * 128;
    const [first, last] = [
      Number(view.getBigUint64(at + 32, true)),
      Number(view.getBigUint64(at + 40, true)),
    ];
    return { start: first * SECTOR, sizeBytes: (last - first + 1) * SECTOR };
  };
  const places = Array.from({ length: 8 }, (_, index) => partition(index + 1));
  const held = new Set<number>();
  return {
    medium,
    held,
    writes: () => count,
    sectorBytes: SECTOR,
    openDisk: async () => device(0, medium.disk.length),
    async openPartition(number) {
      const place = places[number - 1];
      if (!place) throw new Error(`no partition ${number}`);
      return device(place.start, place.sizeBytes);
    },
    partitionPath: (number) => `/dev/vda${number}`,
    isHeld: async (number) => held.has(number),
    esp: fakeEsp(medium.esp, espBytes, { write, alive, draw }),
    dropName: async (file) => void medium.esp.delete(file),
    bootOnce: async () => {},
    booted: async () => booted,
  };
}

interface Power {
  readonly write: (torn: () => void) => void;
  readonly alive: () => void;
  readonly draw: Draw;
}

/** FAT: a rename that is cut leaves one of the names, both, or the new one without content. */
function fakeEsp(files: Map<string, Uint8Array>, espBytes: number, { write, alive, draw }: Power): Esp {
  const fullDisk = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const used = () => [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  return {
    async list() {
      alive();
      return [...files].map(([name, bytes]) => ({ name, sizeBytes: bytes.length }));
    },
    async remove(name) {
      if (!files.has(name)) return alive();
      write(() => void (draw(2) === 0 && files.delete(name)));
      files.delete(name);
    },
    async rename(from, to) {
      const bytes = files.get(from);
      if (!bytes) throw Object.assign(new Error(`ENOENT: ${from}`), { code: 'ENOENT' });
      write(() => {
        const variant = draw(4);
        if (variant === 1) files.set(to, bytes);
        if (variant === 2) files.set(to, new Uint8Array());
        if (variant === 3) {
          files.delete(from);
          files.set(to, bytes);
        }
      });
      files.delete(from);
      files.set(to, bytes);
    },
    async create(name) {
      write(() => void files.delete(name));
      files.set(name, new Uint8Array());
      return {
        async write(bytes) {
          const before = files.get(name) ?? new Uint8Array();
          write(
            () => void files.set(name, Buffer.concat([before, bytes.subarray(0, draw(bytes.length + 1))])),
          );
          if (used() + bytes.length > espBytes) throw fullDisk();
          files.set(name, Buffer.concat([before, bytes]));
        },
        close: async () => {},
      };
    },
    async read(name, offset, lengthBytes) {
      alive();
      const bytes = files.get(name);
      if (!bytes) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
      return Buffer.from(bytes.subarray(offset, offset + lengthBytes));
    },
    availableBytes: async () => espBytes - used(),
  };
}
