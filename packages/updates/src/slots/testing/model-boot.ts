import assert from 'node:assert/strict';
import { isNewer } from '../../is-newer.ts';
import { bootEntryName, parseBootEntryName } from '../boot-entry-name.ts';
import type { BootEntry } from '../slot-disk.ts';
import {
  labelsOf,
  type Machine,
  type ModelDisk,
  type ModelWrite,
  rename,
  rootHashOf,
  tidy,
} from './model-disk.ts';

// systemd-boot 257 and what comes after it: which entry it takes, how it counts, and whether what it starts finds its root.

/** What one start of the machine came to. */
export interface Start {
  readonly disk: ModelDisk;
  /** Absent: a kernel that does not find its root, whole; it panics and the machine starts again. */
  readonly booted?: Machine['booted'];
  readonly proven: boolean;
}

/** bootOrder is the boot loader's list: those without tries left last, then the newest version first. Oracle: bootctl list. */
export function bootOrder(entries: readonly BootEntry[]): readonly BootEntry[] {
  return entries.toSorted(
    (left, right) => Number(left.triesLeft === 0) - Number(right.triesLeft === 0) || newestFirst(left, right),
  );
}

/** choices lists the entries the boot loader may take; equal names of one UKI may come in either order. */
export function choices(disk: ModelDisk): readonly BootEntry[] {
  // An empty file is no PE file and does not come into the list.
  const entries = Object.keys(disk.files).flatMap((file) =>
    disk.files[file] === 0 ? [] : (parseBootEntryName(file) ?? []),
  );
  const once = entries.filter(({ version }) => version === disk.oneShot);
  if (once.length > 0) return once;
  const [first, ...rest] = bootOrder(entries);
  if (!first) return [];
  const equal = rest.filter(
    (entry) => entry.version === first.version && (entry.triesLeft === 0) === (first.triesLeft === 0),
  );
  return [first, ...equal];
}

/** start switches the machine on: every way it may go, and every disk a cut during it may leave. */
export function start(disk: ModelDisk): {
  readonly cuts: readonly ModelDisk[];
  readonly starts: readonly Start[];
} {
  const taken = choices(disk);
  assert.ok(taken.length > 0, 'the boot loader finds no entry');
  const once = { ...disk, oneShot: '' };
  const cuts: ModelDisk[] = [once];
  const starts: Start[] = [];
  for (const entry of taken) {
    const counting = count(once, entry);
    const counted = counting?.done ?? once;
    cuts.push(...(counting?.torn ?? []), counted);
    const chain = disk.chains[disk.files[entry.file] ?? 0];
    // What is not a whole UKI fails its signature; the boot loader stops there, without another try.
    assert.equal(chain?.state, 'whole', `the boot loader hangs at ${entry.file}`);
    const booted = rootOf(counted, chain.version);
    starts.push({
      disk: tidy(counted),
      ...(booted ? { booted } : {}),
      proven: entry.triesLeft === undefined,
    });
  }
  return { cuts: cuts.map(tidy), starts };
}

/** The slot whose ids are those of the version's root hash, if every block of it is right. */
export function rootOf(disk: ModelDisk, version: string): Machine['booted'] | undefined {
  const labels = labelsOf(disk);
  for (const slot of ['a', 'b'] as const) {
    const whole = disk.content[slot].every((part) => part === version);
    if (labels[slot].rootHash === rootHashOf(version) && whole) return { slot, version };
  }
  return undefined;
}

function count(
  disk: ModelDisk,
  { file, version, triesLeft, triesDone = 0 }: BootEntry,
): ModelWrite | undefined {
  if (triesLeft === undefined) return undefined;
  const counters = { triesLeft: Math.max(0, triesLeft - 1), triesDone: Math.min(triesDone + 1, 9) };
  const to = bootEntryName(version, counters);
  if (to === file || to in disk.files) return undefined;
  const [renamed] = rename(disk, file, to);
  // Firmware made of EDK II takes the old name away before it writes the new one (FatSetFileInfo): a cut loses the entry.
  const { [file]: _, ...lost } = disk.files;
  return renamed && { torn: [{ ...disk, files: lost }], done: renamed.done };
}

function newestFirst(left: BootEntry, right: BootEntry): number {
  return isNewer(left.version, right.version) ? -1 : isNewer(right.version, left.version) ? 1 : 0;
}
