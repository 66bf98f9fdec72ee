import assert from 'node:assert/strict';
import { compareUapiVersions } from '@plinth/base';
import {
  bootEntryName,
  type DiskStep,
  parseBootEntryName,
  parseStagedEntryName,
  planStage,
  type Slot,
  type SlotDisk,
  type SlotName,
  stagedEntryName,
} from '@plinth/updates';
import type { StageProgress, StageRequest, Stager, UpdateState, UpdateStore } from '../types.ts';

/** memoryUpdateStore keeps the state in this process; it outlives reboots of a model node. */
export function memoryUpdateStore(): UpdateStore {
  let state: UpdateState = { failed: [] };
  return {
    read: async () => state,
    async change(change) {
      state = structuredClone(change(state));
      return state;
    },
  };
}

export function rootHashOf(version: string): string {
  return Buffer.from(version).toString('hex').padEnd(64, '0').slice(0, 64);
}

const PROGRESS: StageProgress = {
  // Of the last phase, which works through nothing.
  ...{ phase: 'staged', version: '', bytesDone: 0, bytesTotal: 0 },
  ...{ bytesCopied: 90, bytesFetched: 10, bytesSaved: 90 },
};

/**
 * ModelNode is a disk with two slots and a boot loader that counts, as systemd-boot does: the newest entry with tries first, those
 * without any last. Steps are whole: what a power cut leaves within one is tested where the steps are planned and carried out.
 */
export class ModelNode {
  /** Writes (of the state, and steps on the disk) until the power is cut; the one that is cut is not done. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** Whether the power was cut since a test last looked. */
  wasCut = false;
  readonly #memory = memoryUpdateStore();
  readonly store: UpdateStore = {
    read: () => this.#memory.read(),
    change: async (change) => {
      this.#write();
      return this.#memory.change(change);
    },
  };
  /** What the repository offers. */
  offered: readonly string[] = [];
  /** Number of the present boot. */
  boots = 1;
  booted: SlotDisk['booted'];
  /** Whether user space was started by a soft-reboot. */
  soft = false;
  /** File names in EFI/Linux. */
  files: Set<string>;
  slots: [Slot, Slot];
  oneShot = '';
  /** Why the next change of boot entries fails; empty when it does not. */
  entriesFail = '';

  constructor(version: string, entry = bootEntryName(version)) {
    this.booted = { slot: 'a', version };
    this.files = new Set([entry]);
    this.slots = [
      { name: 'a', version, rootHash: rootHashOf(version) },
      { name: 'b', version: '', rootHash: '' },
    ];
  }

  get bootId(): string {
    return `boot-${this.boots}`;
  }

  get disk(): SlotDisk {
    const files = [...this.files];
    const [staged] = files.flatMap((file) => parseStagedEntryName(file) ?? []);
    return {
      slots: structuredClone(this.slots),
      entries: files.flatMap((file) => parseBootEntryName(file) ?? []),
      ...(staged !== undefined && { staged: { version: staged } }),
      booted: this.booted,
    };
  }

  /** The power was cut; nothing can be written until it starts again. */
  get isOff(): boolean {
    return this.writesLeft <= 0;
  }

  #write(): void {
    if (--this.writesLeft <= 0) {
      this.writesLeft = 0;
      this.wasCut = true;
      throw new Error('the power is cut');
    }
  }

  /** Starts the machine once; the boot loader counts. */
  restart(): void {
    if (this.isOff) this.writesLeft = Number.POSITIVE_INFINITY;
    const entries = this.disk.entries.toSorted(
      (a, b) =>
        Number(a.triesLeft === 0) - Number(b.triesLeft === 0) || compareUapiVersions(b.version, a.version),
    );
    const entry = entries.find(({ version }) => version === this.oneShot) ?? entries[0];
    this.oneShot = '';
    assert.ok(entry, 'the boot loader finds no entry');
    if (entry.triesLeft !== undefined) {
      this.files.delete(entry.file);
      const triesLeft = Math.max(0, entry.triesLeft - 1);
      this.files.add(bootEntryName(entry.version, { triesLeft, triesDone: (entry.triesDone ?? 0) + 1 }));
    }
    const slot = this.slots.find(({ version }) => version === entry.version);
    assert.ok(slot, `no slot holds ${entry.version}`);
    this.booted = { slot: slot.name, version: entry.version };
    this.soft = false;
    this.boots++;
  }

  /** Starts user space anew in the other slot; no boot loader runs, and the kernel's boot goes on. */
  softReboot(): void {
    const slot = this.slots.find(({ name }) => name !== this.booted.slot);
    assert.ok(slot?.version, 'the other slot is empty');
    this.booted = { slot: slot.name, version: slot.version };
    this.soft = true;
    this.boots++;
  }

  readonly stager: Stager = {
    readSlotDisk: async () => this.disk,
    readUpdateState: () => this.store.read(),
    changeEntries: async (plan) => {
      const steps = plan(this.disk);
      if (this.entriesFail !== '' && steps.length > 0) throw new Error(this.entriesFail);
      for (const step of steps) this.#do(step);
    },
    stageUpdate: (request) => this.#stage(request),
    cancelStage: async () => false,
    resumeStage: async () => {},
    checkUpdate: async ({ channel }) => {
      const newest = this.offered.at(-1) ?? '';
      return {
        newest,
        decision: {
          ...{ kind: 'none', code: 'update/up-to-date', hint: '' },
          message: `Version ${newest} is the newest of channel ${channel}`,
        },
      };
    },
  };

  async *#stage({ version = '', source, by }: StageRequest): AsyncGenerator<StageProgress> {
    const progress = { ...PROGRESS, version };
    for (const step of planStage(this.disk, { version, rootHash: rootHashOf(version) })) {
      this.#do(step);
      yield { ...progress, phase: 'write' };
    }
    await this.store.change((state) => ({
      ...state,
      stage: { ...{ source, wanted: version, by, askedAtMs: 1, state: 'staged', version, progress } },
    }));
    yield progress;
  }

  #do(step: DiskStep): void {
    this.#write();
    switch (step.do) {
      case 'remove-entry':
      case 'drop-name':
        this.files.delete(step.file);
        return;
      case 'remove-staged':
        for (const file of this.files) if (parseStagedEntryName(file)) this.files.delete(file);
        return;
      case 'empty-slot':
        this.#label(step.slot, '', '');
        return;
      case 'write-slot':
        assert.notEqual(step.slot, this.booted.slot, 'the booted slot is written');
        return;
      case 'label-slot':
        this.#label(step.slot, step.version, step.rootHash);
        return;
      case 'stage-entry':
        this.files.add(stagedEntryName(step.version));
        return;
      case 'activate-entry':
        assert.ok(this.files.delete(stagedEntryName(step.version)), 'nothing is staged');
        this.files.add(bootEntryName(step.version, { triesLeft: step.tries, triesDone: 0 }));
        return;
      case 'bless-entry':
        assert.ok(this.files.delete(step.file));
        this.files.add(bootEntryName(parseBootEntryName(step.file)?.version ?? ''));
        return;
      case 'boot-once':
        this.oneShot = parseBootEntryName(step.file)?.version ?? '';
    }
  }

  #label(slot: SlotName, version: string, rootHash: string): void {
    const [a, b] = this.slots;
    const named = { name: slot, version, rootHash };
    this.slots = slot === 'a' ? [named, b] : [a, named];
  }
}
