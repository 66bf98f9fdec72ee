import assert from 'node:assert/strict';
import {
  bootEntryName,
  parseBootEntryName,
  parseStagedEntryName,
  stagedEntryName,
} from '../boot-entry-name.ts';
import type { DiskStep, Slot, SlotDisk, SlotName } from '../slot-disk.ts';
import { writeProtectedSlots } from '../versions.ts';

// A disk that power can be cut from between any two writes and in the middle of each. What is written inside one step may be torn;
// steps are flushed one after the other, as whoever carries them out does.

/** What both tables say of the slots. */
export type Labels = Readonly<Record<SlotName, { readonly version: string; readonly rootHash: string }>>;

/** Clusters of a file on the ESP. Freed ones may be written over at any time, so what they hold is no longer known. */
export interface Chain {
  readonly version: string;
  readonly state: 'partial' | 'whole' | 'freed';
}

/** Parts of a slot: root, hash tree, signature. Each holds a version, or bytes of two. */
export type SlotContent = readonly [string, string, string];
export const TORN = 'torn';

export interface ModelDisk {
  readonly primary: Labels | typeof TORN;
  readonly backup: Labels | typeof TORN;
  readonly content: Readonly<Record<SlotName, SlotContent>>;
  /** File names in EFI/Linux, each with its clusters; 0: an empty file. */
  readonly files: Readonly<Record<string, number>>;
  readonly chains: Readonly<Record<number, Chain>>;
  /** LoaderEntryOneShot: the version. */
  readonly oneShot: string;
}

export interface Machine {
  readonly disk: ModelDisk;
  readonly booted: { readonly slot: SlotName; readonly version: string };
}

export function rootHashOf(version: string): string {
  return Buffer.from(version.padEnd(4, '.')).toString('hex').padEnd(64, '0');
}

/** A disk as it is after the first version became healthy. */
export function freshMachine(version: string): Machine {
  const labels = { a: { version, rootHash: rootHashOf(version) }, b: { version: '', rootHash: '' } };
  return {
    disk: {
      primary: labels,
      backup: labels,
      content: { a: [version, version, version], b: ['', '', ''] },
      files: { [bootEntryName(version)]: 1 },
      chains: { 1: { version, state: 'whole' } },
      oneShot: '',
    },
    booted: { slot: 'a', version },
  };
}

/** What firmware and kernel believe. */
export function labelsOf({ primary, backup }: ModelDisk): Labels {
  if (primary !== TORN) return primary;
  assert.ok(backup !== TORN, 'both partition tables are torn');
  return backup;
}

/** The disk as plinthd reads it: it looks into files, so it knows which UKIs are whole. */
export function factsOf({ disk, booted }: Machine): SlotDisk {
  const labels = labelsOf(disk);
  const slot = (name: SlotName): Slot => ({ name, ...labels[name] });
  const isWhole = (file: string) => disk.chains[disk.files[file] ?? 0]?.state === 'whole';
  const names = Object.keys(disk.files);
  const staged = names.filter(isWhole).flatMap((file) => parseStagedEntryName(file) ?? []);
  assert.ok(staged.length < 2, 'two staged UKIs');
  return {
    slots: [slot('a'), slot('b')],
    entries: names.flatMap((file) => {
      const entry = parseBootEntryName(file);
      if (!entry) return [];
      return [isWhole(file) ? entry : { ...entry, broken: true as const }];
    }),
    ...(staged[0] === undefined ? {} : { staged: { version: staged[0] } }),
    booted,
  };
}

/** One write: what the disk may be when power goes in the middle of it, and after it. */
export interface ModelWrite {
  readonly torn: readonly ModelDisk[];
  readonly done: ModelDisk;
}

/** execute carries a step out, write by write. Fails when the step breaks a rule that no order may break. */
export function execute(machine: Machine, step: DiskStep): ModelWrite[] {
  const { disk } = machine;
  switch (step.do) {
    case 'remove-entry':
      return unlink(disk, step.file);
    case 'drop-name': {
      assert.equal(
        disk.files[step.file],
        disk.files[step.keeps],
        'only a second name of the same clusters is dropped',
      );
      return [{ torn: [], done: withoutFile(disk, step.file) }];
    }
    case 'remove-staged':
      return chainWrites(
        disk,
        Object.keys(disk.files)
          .filter((file) => parseStagedEntryName(file) !== undefined)
          .map((file) => (now: ModelDisk) => unlink(now, file)),
      );
    case 'empty-slot':
      return relabel(disk, step.slot, { version: '', rootHash: '' });
    case 'label-slot':
      assert.deepEqual(disk.content[step.slot], Array(3).fill(step.version), 'labelled before it is whole');
      return relabel(disk, step.slot, { version: step.version, rootHash: step.rootHash });
    case 'write-slot':
      return writeSlot(machine, step.slot, step.version);
    case 'stage-entry':
      return writeFile(disk, stagedEntryName(step.version), step.version);
    case 'activate-entry':
      return rename(
        disk,
        stagedEntryName(step.version),
        bootEntryName(step.version, { triesLeft: step.tries, triesDone: 0 }),
      );
    case 'bless-entry': {
      const entry = parseBootEntryName(step.file);
      assert.ok(entry);
      return rename(disk, step.file, bootEntryName(entry.version));
    }
    case 'boot-once':
      return [{ torn: [], done: { ...disk, oneShot: parseBootEntryName(step.file)?.version ?? '' } }];
  }
}

/** Both tables, the one that does not count first; between entries and header of a table its CRC does not hold. */
function relabel(disk: ModelDisk, slot: SlotName, named: Labels[SlotName]): ModelWrite[] {
  const labels = { ...labelsOf(disk), [slot]: named };
  const order = disk.primary === TORN ? (['primary', 'backup'] as const) : (['backup', 'primary'] as const);
  const writes: ModelWrite[] = [];
  let now = disk;
  for (const table of order) {
    const torn = { ...now, [table]: TORN };
    now = { ...now, [table]: labels };
    writes.push({ torn: [torn], done: torn }, { torn: [torn], done: now });
  }
  return writes;
}

function writeSlot(machine: Machine, slot: SlotName, version: string): ModelWrite[] {
  const facts = factsOf(machine);
  assert.ok(
    !writeProtectedSlots(facts).includes(slot),
    `slot ${slot} is written, but it is booted or the only proven one`,
  );
  assert.equal(labelsOf(machine.disk)[slot].version, '', 'written under a label');
  const writes: ModelWrite[] = [];
  let now = machine.disk;
  for (const part of [0, 1, 2]) {
    const put = (disk: ModelDisk, what: string): ModelDisk => {
      const content = disk.content[slot].map((old, index) => (index === part ? what : old));
      return { ...disk, content: { ...disk.content, [slot]: content } };
    };
    const torn = put(now, TORN);
    now = put(now, version);
    writes.push({ torn: [torn], done: now });
  }
  return writes;
}

/** The directory entry goes first, then the clusters: under every other name that has them. */
function unlink(disk: ModelDisk, file: string): ModelWrite[] {
  const chain = disk.files[file];
  if (chain === undefined) return [];
  const gone = withoutFile(disk, file);
  if (chain === 0) return [{ torn: [], done: gone }];
  const held = gone.chains[chain];
  assert.ok(held);
  const freed = tidy({ ...gone, chains: { ...gone.chains, [chain]: { ...held, state: 'freed' } } });
  return [
    { torn: [], done: tidy(gone) },
    { torn: [], done: freed },
  ];
}

function writeFile(disk: ModelDisk, file: string, version: string): ModelWrite[] {
  return chainWrites(disk, [
    (now) => unlink(now, file),
    (now) => [{ torn: [], done: { ...now, files: { ...now.files, [file]: 0 } } }],
    (now) => {
      const chain = 1 + Math.max(0, ...Object.keys(now.chains).map(Number));
      const put = (state: Chain['state']): ModelDisk => ({
        ...now,
        files: { ...now.files, [file]: chain },
        chains: { ...now.chains, [chain]: { version, state } },
      });
      return [{ torn: [put('partial')], done: put('whole') }];
    },
  ]);
}

/**
 * A rename on FAT is a new directory entry, then its first cluster, then the old entry away. Depending on which sector reaches the
 * disk first, a cut leaves an empty new file, both names for the same clusters, or neither.
 */
export function rename(disk: ModelDisk, from: string, to: string): ModelWrite[] {
  const chain = disk.files[from];
  assert.ok(chain !== undefined && chain !== 0, `${from} is not there to be renamed`);
  assert.ok(!(to in disk.files), `${to} is there already: a rename would free its clusters`);
  const empty = { ...disk, files: { ...disk.files, [to]: 0 } };
  const both = { ...disk, files: { ...disk.files, [to]: chain } };
  return [
    {
      torn: [empty, both, tidy(withoutFile(disk, from)), withoutFile(empty, from)],
      done: withoutFile(both, from),
    },
  ];
}

function chainWrites(disk: ModelDisk, parts: readonly ((now: ModelDisk) => ModelWrite[])[]): ModelWrite[] {
  const writes: ModelWrite[] = [];
  for (const part of parts) writes.push(...part(writes.at(-1)?.done ?? disk));
  return writes;
}

function withoutFile(disk: ModelDisk, file: string): ModelDisk {
  const { [file]: _, ...files } = disk.files;
  return { ...disk, files };
}

/** Forgets clusters that no name leads to, and numbers the others anew, so that like disks are equal. */
export function tidy(disk: ModelDisk): ModelDisk {
  const files: Record<string, number> = {};
  const chains: Record<number, Chain> = {};
  const renumbered = new Map<number, number>();
  for (const file of Object.keys(disk.files).sort()) {
    const old = disk.files[file] ?? 0;
    const chain = disk.chains[old];
    if (chain && !renumbered.has(old)) {
      renumbered.set(old, renumbered.size + 1);
      chains[renumbered.size] = chain;
    }
    files[file] = renumbered.get(old) ?? 0;
  }
  return { ...disk, files, chains };
}
