import { compareUapiVersions, type ErrorCode, messageOf, PlinthError } from '@plinth/base';
import type { SlotDisk } from '@plinth/updates';
import { inTurn } from '../../in-turn.ts';
import type {
  StageProgress,
  StageRecord,
  StageRequest,
  Stager,
  UpdateSource,
  UpdateStore,
} from '../types.ts';
import {
  type AskParts,
  askRepository,
  decideFor,
  type NodeFacts,
  openSource,
  readRelease,
  requireUpdate,
} from './ask-repository.ts';
import { doEntryStep, isEntryStep } from './do-step.ts';
import { keptStore } from './kept-store.ts';
import { openMeter } from './progress.ts';
import { readSlotDisk } from './read-slot-disk.ts';
import { follow, openRun, type Run } from './run.ts';
import type { SlotMachine } from './slot-machine.ts';
import { stageRelease } from './stage-release.ts';

export interface StagerParts extends AskParts {
  readonly updates: UpdateStore;
  /** The disk that the system runs from; asked for each time, as a node may have none when it starts. */
  machine(): Promise<SlotMachine>;
  kubernetesMinors(): Promise<readonly string[]>;
  /** Ends the work when plinthd does; it goes on with resumeStage. */
  readonly signal: AbortSignal;
}

const NOTHING: StageProgress = {
  ...{ phase: 'metadata', version: '', bytesDone: 0, bytesTotal: 0 },
  ...{ bytesCopied: 0, bytesFetched: 0, bytesSaved: 0 },
};

/** openStager does nothing yet; see Stager. */
export function openStager(given: StagerParts): Stager {
  const parts = { ...given, store: keptStore(given.store) };
  const { updates, sys, signal: ending } = parts;
  const turn = inTurn();
  let running: Run | undefined;

  const facts = async (disk: SlotDisk): Promise<NodeFacts> => ({
    booted: disk.booted.version,
    failed: (await updates.read()).failed,
    kubernetesMinors: await parts.kubernetesMinors(),
  });
  const start = (record: StageRecord): Run => {
    const run = openRun(record);
    running = run;
    run.end = turn(() => work(parts, run, facts)).finally(() => {
      if (running === run) running = undefined;
      run.finish();
    });
    // Who does not follow does not hear of its failure; the state keeps it.
    run.end.catch(() => {});
    return run;
  };

  return {
    stageUpdate(request) {
      if (running) {
        if (!wantsSame(running.record, request)) throw busy(running.record, 'stage');
        return follow(running, request.signal);
      }
      const { source, version: wanted, limits, by } = request;
      const run = start({
        ...{ source, by, askedAtMs: sys.nowMs(), state: 'running', progress: NOTHING },
        ...(wanted === undefined ? {} : { wanted }),
        ...(limits === undefined ? {} : { limits }),
      });
      return follow(run, request.signal);
    },
    async cancelStage() {
      const run = running;
      if (!run) return false;
      run.cancel();
      await run.end?.catch(() => {});
      return true;
    },
    async readUpdateState() {
      const state = await updates.read();
      return running ? { ...state, stage: { ...running.record, progress: running.progress } } : state;
    },
    async resumeStage() {
      const { stage } = await updates.read();
      if (stage?.state === 'running' && !running && !ending.aborted) start(stage);
    },
    readSlotDisk: async () => readSlotDisk(await parts.machine()),
    async checkUpdate(source: UpdateSource) {
      const fetcher = await openSource(parts, source, undefined, ending);
      try {
        const disk = await readSlotDisk(await parts.machine());
        const { channel } = await askRepository(parts, fetcher, source.channel, ending);
        const versions = channel.releases.map(({ version }) => version).sort(compareUapiVersions);
        return { newest: versions.at(-1) ?? '', decision: decideFor(channel, source, await facts(disk)) };
      } finally {
        fetcher.close();
      }
    },
    async changeEntries(plan) {
      if (running) throw busy(running.record, 'change boot entries');
      await turn(async () => {
        const machine = await parts.machine();
        for (const step of plan(await readSlotDisk(machine))) {
          if (!isEntryStep(step))
            throw new PlinthError('internal/bug', `Cannot ${step.do} here, expected steps on entries`);
          await doEntryStep(machine, step);
        }
      });
    },
  };
}

/** One staging from its start to its end; the record is stored around each phase. */
async function work(
  parts: StagerParts,
  run: Run,
  facts: (disk: SlotDisk) => Promise<NodeFacts>,
): Promise<void> {
  const { updates, signal: ending } = parts;
  const signal = AbortSignal.any([run.signal, ending]);
  const store = () =>
    updates.change((state) => ({ ...state, stage: { ...run.record, progress: run.progress } }));
  let stored: Promise<unknown> = store();
  try {
    await stored;
    const { source, wanted, limits } = run.record;
    const fetcher = await openSource(parts, source, limits, signal);
    try {
      const machine = await parts.machine();
      const { repository, channel } = await askRepository(parts, fetcher, source.channel, signal);
      const update = requireUpdate(
        decideFor(channel, source, await facts(await readSlotDisk(machine)), wanted),
      );
      const release = await readRelease(repository, update);
      const { version, rootHash } = release;
      const { kubernetes } = update.release;
      run.record = { ...run.record, version, rootHash, ...(kubernetes ? { kubernetes } : {}) };
      const before = fetcher.bytesFetched();
      const meter = openMeter({
        version: () => version,
        fetchedBytes: () => fetcher.bytesFetched() - before,
        fullBytes: () => release.sizeBytes,
        changed(progress, newPhase) {
          run.tell(progress);
          if (newPhase) stored = stored.then(store);
        },
      });
      meter.phase('metadata');
      await stageRelease({ machine, release, fetcher, meter, signal });
      run.record = { ...run.record, state: 'staged' };
    } finally {
      fetcher.close();
    }
  } catch (reason) {
    run.record = ended(run, reason, ending);
    throw run.record.state === 'cancelled'
      ? new PlinthError(
          'update/cancelled',
          `Cannot go on with staging ${run.record.version ?? ''}: it was cancelled`,
        )
      : reason;
  } finally {
    await stored.catch(() => {});
    await store().catch(() => {});
  }
}

/** What is remembered of a failure. The end of plinthd is none: it goes on at the next start. */
function ended(run: Run, reason: unknown, ending: AbortSignal): StageRecord {
  if (run.signal.aborted) return { ...run.record, state: 'cancelled' };
  if (ending.aborted) return run.record;
  const code: ErrorCode = reason instanceof PlinthError ? reason.code : 'update/disk-failed';
  return { ...run.record, state: 'failed', failure: { code, message: messageOf(reason) } };
}

function wantsSame(record: StageRecord, { source, version }: StageRequest): boolean {
  const same =
    source.channel === record.source.channel && source.addresses.join() === record.source.addresses.join();
  return same && (version === record.wanted || (version !== undefined && version === record.version));
}

function busy({ version, wanted, by }: StageRecord, what: string): PlinthError {
  const state = `${version ?? wanted ?? 'a release'} is being staged for ${by}`;
  return new PlinthError('update/busy', `Cannot ${what}: ${state}, expected nothing to be under way`, {
    retryable: true,
  });
}
