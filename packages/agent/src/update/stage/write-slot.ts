import { PlinthError } from '@plinth/base';
import {
  VERITY_BLOCK_BYTES as BLOCK,
  blockHasher,
  VERITY_DIGEST_BYTES as DIGEST,
  openBlockChecker,
  readSuperblock,
  readTree,
  type VerityTree,
} from '@plinth/formats';
import { blockRuns, type CopyRun, type DeltaPlan, planDelta } from '@plinth/updates';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { BlockFile } from './block-file.ts';
import { type FetchedTree, fetchTree } from './fetch-tree.ts';
import type { ProgressMeter } from './progress.ts';
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

const PIECE_BLOCKS = 64;
const REPAIRS = 2;

/**
 * writeSlot makes a slot hold a release: the hash tree first, then blocks that are on the disk, then those that are fetched, each checked
 * against the tree before it is written; then everything is read back from the medium. What is right in the slot already is found by
 * hashing it, never by what was noted: so it goes on after a cut at any point.
 * @throws update/slot-in-use, update/release-invalid, update/disk-failed, and what fetching throws
 */
export async function writeSlot(parts: WriteSlotParts): Promise<void> {
  const { machine, target, booted, release, fetcher, meter, signal } = parts;
  await requireWritable(parts);
  const opened: BlockFile[] = [];
  const open = async (number: number, writable: boolean) => {
    const file = await machine.openPartition(number, writable);
    opened.push(file);
    return file;
  };
  try {
    const [root, verity, signature] = [
      writeBehind(await open(target.root.number, true)),
      await open(target.verity.number, true),
      await open(target.signature.number, true),
    ];
    const source = await open(booted.root.number, false);
    const sourceDevice = await readDevice(await open(booted.verity.number, false));
    const oldDevice = await readDevice(verity);

    meter.phase('compare', release.root.sizeBytes);
    const tree = await fetchTree(fetcher, release, [sourceDevice, oldDevice]);
    const signatureBytes = await paddedSignature(fetcher, release, signature.sizeBytes);
    const oldBlocks = blocksOf(oldDevice);
    // An older image may be longer than the new one; its last blocks are as good as others to copy. The tree is written before any block,
    // so a slot without one has never held anything.
    const mostBlocks = Math.floor(root.sizeBytes / BLOCK);
    const held = oldBlocks === 0 ? 0 : Math.min(Math.max(tree.header.dataBlocks, oldBlocks), mostBlocks);
    const own = await hashBlocks(root, held, tree.header.salt, parts, (bytes) =>
      meter.done(Math.min(bytes, release.root.sizeBytes)),
    );
    const present = presentBlocks(own.leaves, tree);
    await writeAll(verity, tree.bytes);
    await verity.flush();

    const sourceTree = await guessTree(sourceDevice, source, tree.header.salt, parts);
    const plan = planDelta({
      newTree: tree,
      slots: [
        ...(sourceTree ? [{ slot: booted.name, tree: sourceTree }] : []),
        { slot: target.name, tree: own },
      ],
      target: target.name,
      present,
    });
    await carryOut(plan, { ...parts, tree, root, source, present });
    await writeAll(signature, signatureBytes);
    await signature.flush();
    await root.flush();

    await readBack({ ...parts, tree, root, source, present }, [
      [verity, tree.bytes],
      [signature, signatureBytes],
    ]);
  } catch (reason) {
    if (signal.aborted) throw reason;
    throw PlinthError.from(reason, 'update/disk-failed', `Cannot write slot ${target.name}`);
  } finally {
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

/** hashBlocks hashes blocks as they lie on the medium; between pieces others have their turn. */
async function hashBlocks(
  file: BlockFile,
  blocks: number,
  salt: Uint8Array,
  { signal }: Pick<WriteSlotParts, 'signal'>,
  done: (bytes: number) => void = () => {},
): Promise<VerityTree> {
  const digest = blockHasher(salt);
  const leaves = new Uint8Array(blocks * DIGEST);
  const read = (first: number) => {
    const piece = file.read(first * BLOCK, Math.min(PIECE_BLOCKS, blocks - first) * BLOCK);
    piece.catch(() => {}); // it is waited for, unless the one before it failed
    return piece;
  };
  let next = blocks > 0 ? read(0) : undefined;
  for (let first = 0; next; first += PIECE_BLOCKS) {
    signal.throwIfAborted();
    const bytes: Uint8Array = await next;
    const count = bytes.length / BLOCK;
    // The disk reads on while this piece is hashed.
    next = first + count < blocks ? read(first + count) : undefined;
    for (let block = 0; block < count; block++) {
      leaves.set(digest(bytes.subarray(block * BLOCK, (block + 1) * BLOCK)), (first + block) * DIGEST);
    }
    done(count * BLOCK);
  }
  return { header: { uuid: '', salt, dataBlocks: blocks }, leaves };
}

function presentBlocks(own: Uint8Array, { leaves, header }: VerityTree): Uint8Array {
  const present = new Uint8Array(header.dataBlocks);
  for (let block = 0; block < header.dataBlocks; block++) {
    const at = block * DIGEST;
    const end = at + DIGEST;
    present[block] =
      end <= own.length && Buffer.compare(own.subarray(at, end), leaves.subarray(at, end)) === 0 ? 1 : 0;
  }
  return present;
}

/** The tree of the slot that runs; one with another salt tells nothing, and its blocks are hashed instead. */
async function guessTree(
  device: Uint8Array,
  data: BlockFile,
  salt: Uint8Array,
  parts: WriteSlotParts,
): Promise<VerityTree | undefined> {
  try {
    const tree = readTree(device);
    if (tree && Buffer.compare(tree.header.salt, salt) === 0) return tree;
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
  }
  const blocks = Math.min(blocksOf(device), Math.floor(data.sizeBytes / BLOCK));
  return blocks === 0 ? undefined : hashBlocks(data, blocks, salt, parts);
}

async function writeAll(file: BlockFile, bytes: Uint8Array): Promise<void> {
  await file.write(0, bytes);
}

interface Work extends WriteSlotParts {
  readonly tree: FetchedTree;
  readonly root: BlockFile;
  readonly source: BlockFile;
  /** Blocks that are in place; grows. */
  readonly present: Uint8Array;
}

/** Copied blocks first, in the order of the plan, then what is fetched. What turned out not to be what its tree said is fetched too. */
async function carryOut(plan: DeltaPlan, work: Work): Promise<void> {
  const { meter, present, release } = work;
  meter.phase('write', release.root.sizeBytes);
  meter.done(present.reduce((sum, block) => sum + block, 0) * BLOCK);
  for (const run of plan.copy) await copyRun(run, work);
  const missing = present.map((block) => (block ? 0 : 1));
  for (const { offset, length } of plan.fetch) missing.fill(1, offset / BLOCK, (offset + length) / BLOCK);
  await fetchBlocks(missing, work);
}

async function copyRun(run: CopyRun, work: Work): Promise<void> {
  const { target, tree, root, source, present, meter, signal } = work;
  const from = run.from === target.name ? root : source;
  const isBlock = openBlockChecker(tree);
  const read = (done: number) => {
    const piece = from.read((run.fromBlock + done) * BLOCK, Math.min(PIECE_BLOCKS, run.count - done) * BLOCK);
    piece.catch(() => {}); // it is waited for, unless the one before it failed
    return { done, piece };
  };
  let ahead = read(0);
  for (let done = 0; done < run.count; ) {
    signal.throwIfAborted();
    if (ahead.done !== done) {
      await ahead.piece.catch(() => {}); // its memory is used again
      ahead = read(done);
    }
    const bytes: Uint8Array = await ahead.piece;
    const count = bytes.length / BLOCK;
    // The disk reads on while this piece is checked and written. Within one slot it lies behind what is written.
    if (done + count < run.count) ahead = read(done + count);
    const first = run.toBlock + done;
    let good = 0;
    while (good < count && isBlock(first + good, bytes.subarray(good * BLOCK, (good + 1) * BLOCK))) good++;
    if (good > 0) {
      await root.write(first * BLOCK, bytes.subarray(0, good * BLOCK));
      present.fill(1, first, first + good);
      meter.copied(good * BLOCK);
      meter.done(good * BLOCK);
    }
    // One that is not what its tree said is passed over, and fetched later.
    done += good === count ? count : good + 1;
  }
}

async function fetchBlocks(missing: Uint8Array, work: Work): Promise<void> {
  const { fetcher, release, tree, root, present, meter } = work;
  const isBlock = openBlockChecker(tree);
  await fetcher.ranges({
    ...{ path: release.root.path, fileBytes: release.root.sizeBytes, blockBytes: BLOCK },
    ranges: blockRuns(missing, 0).map(({ first, count }) => ({
      offset: first * BLOCK,
      sizeBytes: count * BLOCK,
    })),
    async accept(offset, bytes) {
      const first = offset / BLOCK;
      const count = bytes.length / BLOCK;
      let good = 0;
      while (good < count && isBlock(first + good, bytes.subarray(good * BLOCK, (good + 1) * BLOCK))) good++;
      if (good === 0) return 0;
      await root.write(offset, bytes.subarray(0, good * BLOCK));
      for (let block = first; block < first + good; block++) {
        if (!present[block]) meter.done(BLOCK);
        present[block] = 1;
      }
      return good * BLOCK;
    },
  });
}

/** Reads all of it from the medium; blocks that did not last are fetched once more. */
async function readBack(work: Work, others: readonly (readonly [BlockFile, Uint8Array])[]): Promise<void> {
  const { meter, release, root, tree, target, present } = work;
  for (let repair = 0; ; repair++) {
    meter.phase('verify', release.root.sizeBytes);
    const { leaves } = await hashBlocks(root, tree.header.dataBlocks, tree.header.salt, work, meter.done);
    present.set(presentBlocks(leaves, tree));
    const bad = present.map((block) => (block ? 0 : 1));
    const badBlocks = bad.reduce((sum, block) => sum + block, 0);
    if (badBlocks === 0) break;
    if (repair === REPAIRS) {
      const state = `${badBlocks} blocks are not what was written, the first is ${bad.indexOf(1)}`;
      throw new PlinthError(
        'update/disk-failed',
        `Cannot read back slot ${target.name}: ${state}, expected all as written`,
      );
    }
    await fetchBlocks(bad, work);
    await root.flush();
  }
  for (const [file, expected] of others) {
    const found = await file.read(0, expected.length);
    if (Buffer.compare(found, expected) === 0) continue;
    const state = 'hash tree or signature are not what was written';
    throw new PlinthError(
      'update/disk-failed',
      `Cannot read back slot ${target.name}: ${state}, expected them to be`,
    );
  }
}
