import assert from 'node:assert/strict';
import { memoryReader, verifyVerity } from '@plinth/formats';
import { planStage, stagedEntryName, TRUSTED_ROOT_PATH } from '@plinth/updates';
import { memoryStore, type StateStore } from '../../sys/state-store.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { openStager, type StagerParts } from '../stage/open-stager.ts';
import { readSlotDisk } from '../stage/read-slot-disk.ts';
import { openUpdateStore } from '../stage/update-store.ts';
import type { StageProgress, StageRequest, Stager } from '../types.ts';
import {
  type FakeDisk,
  type FakeDiskOptions,
  fakeDisk,
  type Medium,
  SAMPLE_BYTES,
  sampleMedium,
  sampleOffset,
} from './fake-disk.ts';
import { type AskedFor, type Fault, type LyingServer, openLyingServer } from './lying-server.ts';
import { publishReleases, type SampleRelease } from './sample-release.ts';
import { type SampleRepository, sampleRepository } from './sample-repository.ts';

/** A repository that is served, and a node that runs the first release from slot a. */
export interface StageWorld {
  readonly repository: SampleRepository;
  readonly server: LyingServer;
  /** What goes wrong with the server's answers; changed as a test likes. */
  fault: ((asked: AskedFor) => Fault | undefined) | undefined;
  readonly medium: Medium;
  readonly store: StateStore;
  /** A start of the node: a new stager over what the medium and /var hold. */
  start(options?: Partial<FakeDiskOptions> & Partial<Pick<StagerParts, 'signal'>>): {
    readonly stager: Stager;
    readonly disk: FakeDisk;
  };
  request(more?: Partial<StageRequest>): StageRequest;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly booted: SampleRelease;
  readonly other?: SampleRelease;
  readonly offered: readonly SampleRelease[];
  /** Default: one that is honest. */
  readonly repository?: SampleRepository;
  /** Default: one in memory. */
  readonly store?: StateStore;
}

export async function stageWorld({
  booted,
  other,
  offered,
  repository = sampleRepository(),
  store = memoryStore('a test'),
}: WorldOptions): Promise<StageWorld> {
  publishReleases(repository, offered);
  const world: { fault: StageWorld['fault'] } = { fault: undefined };
  const server = await openLyingServer({ files: repository.files, fault: (asked) => world.fault?.(asked) });
  const medium = sampleMedium(booted, other);
  return {
    ...{ repository, server, medium, store },
    get fault() {
      return world.fault;
    },
    set fault(fault) {
      world.fault = fault;
    },
    start(options = {}) {
      const disk = fakeDisk({ medium, booted: { rootNumber: 2, version: booted.version }, ...options });
      const sys = fakeSys({
        files: { [TRUSTED_ROOT_PATH]: repository.trustedRoot },
        modifiedAtMs: { [TRUSTED_ROOT_PATH]: 1 },
        nowMs: Date.now(),
      });
      const stager = openStager({
        ...{ sys, store, updates: openUpdateStore(store), machine: async () => disk },
        kubernetesMinors: async () => [],
        pauseMs: 5,
        signal: options.signal ?? new AbortController().signal,
      });
      return { stager, disk };
    },
    request: (more = {}) => ({
      source: { addresses: [server.address], channel: 'stable' },
      limits: { stallMs: 500 },
      by: 'a test',
      ...more,
    }),
    close: () => server.close(),
  };
}

/** Follows to the end and gives the last progress. */
export async function toEnd(progress: AsyncIterable<StageProgress>): Promise<StageProgress> {
  let last: StageProgress | undefined;
  for await (const one of progress) last = one;
  assert.ok(last);
  return last;
}

/**
 * What holds at every moment, after a power cut too: the system that runs is whole in its slot and has its boot entry; a slot that is
 * labelled is whole; a staged UKI, and any other boot entry, is whole.
 */
export async function assertSound(
  medium: Medium,
  booted: SampleRelease,
  offered: readonly SampleRelease[],
): Promise<void> {
  const disk = await readSlotDisk(fakeDisk({ medium, booted: { rootNumber: 2, version: booted.version } }));
  assert.deepEqual(disk.slots[0], { name: 'a', version: booted.version, rootHash: booted.rootHash });
  assertSlot(medium, 'a', booted);
  assert.ok(
    disk.entries.some(
      ({ version, triesLeft, broken }) => version === booted.version && triesLeft === undefined && !broken,
    ),
  );
  const known = [booted, ...offered];
  const [, b] = disk.slots;
  if (b.version !== '') {
    const release = known.find(({ version, rootHash }) => version === b.version && rootHash === b.rootHash);
    assert.ok(release, `slot b says ${b.version} ${b.rootHash}`);
    await assertVerity(medium, release);
  }
  for (const { file, version, broken } of disk.entries) {
    const release = known.find((one) => one.version === version);
    assert.ok(
      broken ||
        Buffer.compare(medium.esp.get(file) ?? new Uint8Array(), release?.uki ?? new Uint8Array()) === 0,
      file,
    );
    // Nothing that the boot loader would take leads to a slot that is not there.
    assert.ok(broken || disk.slots.some((slot) => slot.version === version), `${file} leads nowhere`);
  }
  if (disk.staged) {
    const release = known.find(({ version }) => version === disk.staged?.version);
    assert.ok(
      Buffer.compare(
        medium.esp.get(stagedEntryName(disk.staged.version)) ?? new Uint8Array(),
        release?.uki ?? new Uint8Array(),
      ) === 0,
    );
  }
}

/** Bytes of a slot, one by one; the rest of its partitions is not looked at. */
export function assertSlot(medium: Medium, slot: 'a' | 'b', release: SampleRelease): void {
  for (const part of ['root', 'verity', 'signature'] as const) {
    const at = sampleOffset(slot, part);
    const found = medium.disk.subarray(at, at + release[part].length);
    assert.ok(
      Buffer.compare(found, release[part]) === 0,
      `${part} of slot ${slot} is not that of ${release.version}`,
    );
  }
  // Nothing is left behind the signature's zeros.
  const end = sampleOffset(slot, 'signature') + SAMPLE_BYTES.signature;
  assert.ok(medium.disk.subarray(end - 1024, end).every((byte) => byte === 0));
}

async function assertVerity(medium: Medium, release: SampleRelease): Promise<void> {
  const part = (name: 'root' | 'verity') => {
    const at = sampleOffset('b', name);
    return medium.disk.subarray(at, at + SAMPLE_BYTES[name]);
  };
  const verdict = await verifyVerity(memoryReader(part('root')), part('verity'), release.rootHash);
  assert.deepEqual(verdict.verdict, 'pass');
}

/** Nothing is left to do for a release. */
export async function assertStaged(
  medium: Medium,
  booted: SampleRelease,
  release: SampleRelease,
): Promise<void> {
  const disk = await readSlotDisk(fakeDisk({ medium, booted: { rootNumber: 2, version: booted.version } }));
  assert.deepEqual(planStage(disk, release), []);
  assert.equal(disk.staged?.version, release.version);
  assertSlot(medium, 'b', release);
}
