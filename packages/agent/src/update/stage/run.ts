import type { StageProgress, StageRecord } from '../types.ts';

/** A staging that runs, and those who follow it. */
export interface Run {
  record: StageRecord;
  readonly progress: StageProgress;
  /** Ends with the work, and as it does; absent until it has begun. */
  end?: Promise<void>;
  readonly signal: AbortSignal;
  cancel(): void;
  tell(progress: StageProgress): void;
  /** Wakes those who wait: nothing more comes. */
  finish(): void;
  /** Waits for the next progress, or the end. */
  changed(): Promise<void>;
  readonly finished: boolean;
}

export function openRun(record: StageRecord): Run {
  const cancelling = new AbortController();
  let progress = record.progress;
  let finished = false;
  let wake: () => void = () => {};
  let change = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const woken = () => {
    wake();
    change = new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  return {
    record,
    get progress() {
      return progress;
    },
    signal: cancelling.signal,
    cancel: () => cancelling.abort(new Error('cancelled')),
    tell(next) {
      progress = next;
      woken();
    },
    finish() {
      finished = true;
      woken();
    },
    changed: () => change,
    get finished() {
      return finished;
    },
  };
}

/** follow gives progress until the run ends, or the signal aborts; a slow reader gets the latest only. Throws what the run failed with. */
export async function* follow(run: Run, signal: AbortSignal | undefined): AsyncGenerator<StageProgress> {
  const left = new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  let told: StageProgress | undefined;
  while (!signal?.aborted) {
    if (run.progress !== told) {
      told = run.progress;
      yield told;
    } else if (run.finished) {
      return await run.end;
    } else {
      await Promise.race([run.changed(), left]);
    }
  }
}
