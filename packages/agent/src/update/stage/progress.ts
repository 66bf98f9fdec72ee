import type { StagePhase, StageProgress } from '../types.ts';

/** What staging tells while it runs. */
export interface ProgressMeter {
  /** Begins a phase. */
  phase(phase: StagePhase, bytesTotal?: number): void;
  done(bytes: number): void;
  copied(bytes: number): void;
  now(): StageProgress;
}

export interface MeterParts {
  readonly version: () => string;
  /** Everything that came over the wire for this release. */
  readonly fetchedBytes: () => number;
  /** What a full download takes; undefined until it is known. */
  readonly fullBytes: () => number | undefined;
  readonly changed: (progress: StageProgress, newPhase: boolean) => void;
}

/** openMeter counts; `changed` hears of each change. */
export function openMeter({ version, fetchedBytes, fullBytes, changed }: MeterParts): ProgressMeter {
  let [phase, bytesDone, bytesTotal, bytesCopied]: [StagePhase, number, number, number] = [
    'metadata',
    0,
    0,
    0,
  ];
  const now = (): StageProgress => {
    const bytesFetched = fetchedBytes();
    const full = fullBytes();
    const bytesSaved = full === undefined || phase === 'metadata' ? 0 : Math.max(0, full - bytesFetched);
    return { phase, version: version(), bytesDone, bytesTotal, bytesCopied, bytesFetched, bytesSaved };
  };
  return {
    phase(next, total = 0) {
      [phase, bytesDone, bytesTotal] = [next, 0, total];
      changed(now(), true);
    },
    done(bytes) {
      bytesDone += bytes;
      changed(now(), false);
    },
    copied(bytes) {
      bytesCopied += bytes;
    },
    now,
  };
}
