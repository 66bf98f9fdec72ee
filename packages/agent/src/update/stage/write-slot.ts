import { PlinthError } from '@plinth/base';
import {
  VERITY_BLOCK_BYTES as BLOCK,
  blockDigester,
  VERITY_DIGEST_BYTES as DIGEST,
  readSuperblock,
  readTree,
  type VerityTree,
} from '@plinth/formats';
import { blockRuns, planDelta } from '@plinth/updates';
import type { Fetcher } from '../fetch/fetcher.ts';
import { type BlockFile, PIECE_BYTES } from './block-file.ts';
import { countMarked } from './count-marked.ts';
import { fetchTree } from './fetch-tree.ts';
import { copyBlocks, type FillParts, fetchBlocks } from './fill-slot.ts';
import { hashBlocks } from './hash-blocks.ts';
import type { ProgressMeter } from './progress.ts';
import { openReadBack, type ReadBack } from './read-back.ts';
import type { ReleaseFiles } from './release-files.ts';
import type { SlotMachine, SlotPartitions } from './slot-machine.ts';
import { writeBehind } from './write-behind.ts';

export interface WriteSlotParts {
  readonly machine: SlotMachine;
  readonly target: SlotPartitions;
  /** The slot that runs; it is read only. */
  readonly booted: SlotPartitions;
  readonly release: ReleaseFiles;
  readonly fetcher: Fetcher;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal;
}

const REPAIRS = 2;

/**
 * writeSlot makes a slot hold a release: the hash tree first, then blocks of zeros and those that are on the disk, then those that are
 * fetched, each checked against the tree before it is written, and read back from the medium once it was flushed. What is right in the
 * slot already is found by hashing it, never by what was noted: so it goes on after a cut at any point.
 * @throws update/slot-in-use, update/release-invalid, update/disk-failed, and what fetching throws
 */
export async function writeSlot(parts: WriteSlotParts): Promise<void> {
  const { machine, target, booted, release, fetcher, meter, signal } = parts;
  await requireWritable(parts);
  const opened: BlockFile[] = [];
  let reading: ReadBack | undefined;
  const open = async (number: number, writable: boolean) => {
    const file = await machine.openPartition(number, writable);
    opened.push(file);
    return file;
  };
  try {
    const [root, verity, signature] = [
      writeBehind(await open(target.root.number, true), (offset, bytes) => reading?.check(offset, bytes)),
      await open(target.verity.number, true),
      await open(target.signature.number, true),
    ];
    const source = await open(booted.root.number, false);
    const sourceDevice = await readDevice(await open(booted.verity.number, false));
    const oldDevice = await readDevice(verity);

    meter.phase('compare', release.root.sizeBytes);
    const tree = await fetchTree(fetcher, release, [sourceDevice, oldDevice], signal);
    const signatureBytes = await paddedSignature(fetcher, release, signature.sizeBytes);
    const oldBlocks = blocksOf(oldDevice);
    // An older image may be longer than the new one; its last blocks are as good as others to copy. The tree is written before any block,
    // so a slot without one has never held anything.
    const mostBlocks = Math.floor(root.sizeBytes / BLOCK);
    const held = oldBlocks === 0 ? 0 : Math.min(Math.max(tree.header.dataBlocks, oldBlocks), mostBlocks);
    const { salt } = tree.header;
    const leaves = await hashBlocks(root, held, salt, signal, (bytes) => meter.done(bytes));
    const own: VerityTree = { header: { uuid: '', salt, dataBlocks: held }, leaves };
    const present = presentBlocks(leaves, tree);
    await verity.write(0, tree.bytes);
    await verity.flush();

    const lasts = present.slice();
    const readBack = openReadBack(await open(target.root.number, false), tree, lasts, signal);
    reading = readBack;
    const fill: FillParts = { ...parts, tree, root, source, present };
    meter.phase('write', release.root.sizeBytes);
    meter.done(countMarked(present) * BLOCK);
    await writeZeros(fill);
    const sourceTree = await guessTree(sourceDevice, source, salt, signal);
    const plan = planDelta({
      newTree: tree,
      slots: [
        ...(sourceTree ? [{ slot: booted.name, tree: sourceTree }] : []),
        { slot: target.name, tree: own },
      ],
      target: target.name,
      present,
    });
    await copyBlocks(plan, fill);
    await fetchBlocks(unmarked(present), fill);
    await signature.write(0, signatureBytes);
    await signature.flush();

    await settle(fill, readBack, lasts);
    await requireHeld(verity, tree.bytes, target);
    await requireHeld(signature, signatureBytes, target);
  } catch (reason) {
    if (signal.aborted) throw reason;
    throw PlinthError.from(reason, 'update/disk-failed', `Cannot write slot ${target.name}`);
  } finally {
    await reading?.stop();
    for (const file of opened) await file.close().catch(() => {});
  }
}

async function requireWritable({ machine, target, booted, release }: WriteSlotParts): Promise<void> {
  const inUse = (state: string) =>
    new PlinthError(
      'update/slot-in-use',
      `Cannot write slot ${target.name}: ${state}, expected a slot that nothing uses`,
    );
  const { rootNumber } = await machine.booted();
  if (target.name === booted.name || target.root.number === rootNumber)
    throw inUse('the system runs from it');
  for (const part of ['root', 'verity', 'signature'] as const) {
    const { number, sizeBytes } = target[part];
    if (await machine.isHeld(number)) throw inUse(`the kernel holds its partition ${number}`);
    if (release[part].sizeBytes <= sizeBytes) continue;
    const state = `its ${part} has ${release[part].sizeBytes} bytes`;
    throw new PlinthError(
      'update/release-invalid',
      `Cannot use release ${release.version}: ${state}, expected at most the ${sizeBytes} of a slot`,
    );
  }
}

async function readDevice(verity: BlockFile): Promise<Uint8Array> {
  return new Uint8Array(await verity.read(0, verity.sizeBytes - (verity.sizeBytes % BLOCK)));
}

function blocksOf(device: Uint8Array): number {
  try {
    return readSuperblock(device).dataBlocks;
  } catch {
    return 0; // empty, or torn
  }
}

/** The partition holds JSON and zeros after it (UAPI.2), to its end: what was there before may be longer. */
async function paddedSignature(
  fetcher: Fetcher,
  { signature }: ReleaseFiles,
  partitionBytes: number,
): Promise<Uint8Array> {
  const { path, sizeBytes } = signature;
  const padded = new Uint8Array(partitionBytes);
  padded.set(await fetcher.file({ path, limitBytes: sizeBytes, expected: signature }));
  return padded;
}

function presentBlocks(own: Buffer, { leaves, header }: VerityTree): Uint8Array {
  const present = new Uint8Array(header.dataBlocks);
  const expected = Buffer.from(leaves.buffer, leaves.byteOffset, leaves.length);
  const most = Math.min(own.length / DIGEST, header.dataBlocks);
  for (let block = 0; block < most; block++) {
    const at = block * DIGEST;
    if (own.compare(expected, at, at + DIGEST, at, at + DIGEST) === 0) present[block] = 1;
  }
  return present;
}

/** The tree of the slot that runs; one with another salt tells nothing, and its blocks are hashed instead. */
async function guessTree(
  device: Uint8Array,
  data: BlockFile,
  salt: Uint8Array,
  signal: AbortSignal,
): Promise<VerityTree | undefined> {
  try {
    const tree = readTree(device);
    if (tree && Buffer.compare(tree.header.salt, salt) === 0) return tree;
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
  }
  const blocks = Math.min(blocksOf(device), Math.floor(data.sizeBytes / BLOCK));
  if (blocks === 0) return undefined;
  const leaves = await hashBlocks(data, blocks, salt, signal);
  return { header: { uuid: '', salt, dataBlocks: blocks }, leaves };
}

/** Blocks of zeros are the room that images are laid out with: a digest tells them, and nobody has to send them. */
async function writeZeros({ tree, root, present, meter, signal }: FillParts): Promise<void> {
  const zeros = Buffer.alloc(PIECE_BYTES);
  const digest = Buffer.from(blockDigester(tree.header.salt)(zeros, 0), 'latin1');
  const wanted = new Uint8Array(present.length);
  for (let block = 0; block < wanted.length; block++) {
    const at = block * DIGEST;
    if (!present[block] && digest.equals(tree.leaves.subarray(at, at + DIGEST))) wanted[block] = 1;
  }
  for (const { first, count } of blockRuns(wanted, 0)) {
    for (let done = 0; done < count; done += PIECE_BYTES / BLOCK) {
      signal.throwIfAborted();
      const bytes = zeros.subarray(0, (count - done) * BLOCK);
      await root.write((first + done) * BLOCK, bytes);
      meter.done(bytes.length);
    }
    present.fill(1, first, first + count);
  }
}

function unmarked(marks: Uint8Array): Uint8Array {
  return marks.map((mark) => (mark ? 0 : 1));
}

/** Waits until all was read from the medium; blocks that did not last are fetched once more. */
async function settle(parts: FillParts, readBack: ReadBack, lasts: Uint8Array): Promise<void> {
  const { meter, release, root, target } = parts;
  meter.phase('verify', release.root.sizeBytes);
  for (let repair = 0; ; repair++) {
    await root.flush();
    await readBack.settle();
    const bad = unmarked(lasts);
    const badBlocks = countMarked(bad);
    if (badBlocks === 0) break;
    if (repair === REPAIRS) {
      const state = `${badBlocks} blocks are not what was written, the first is ${bad.indexOf(1)}`;
      throw new PlinthError(
        'update/disk-failed',
        `Cannot read back slot ${target.name}: ${state}, expected all as written`,
      );
    }
    await fetchBlocks(bad, parts);
  }
  meter.done(release.root.sizeBytes);
}

async function requireHeld(file: BlockFile, expected: Uint8Array, { name }: SlotPartitions): Promise<void> {
  if (Buffer.compare(await file.read(0, expected.length), expected) === 0) return;
  throw new PlinthError(
    'update/disk-failed',
    `Cannot read back slot ${name}: hash tree or signature are not what was written, expected them to be`,
  );
}
