import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '@plinth/host';

/** Something that answers while it is up. */
export interface Probe {
  readonly what: string;
  /** Asks once; rejects while it is down. */
  ask(signal: AbortSignal): Promise<unknown>;
}

/** How long something did not answer. */
export interface Outage {
  readonly what: string;
  /** The longest time between two answers in a row. */
  readonly longestMs: number;
  readonly answers: number;
}

export interface Watch {
  /** Ends the watch and gives what was seen, in the order of the probes. */
  stop(): Promise<readonly Outage[]>;
}

const EVERY_MS = 200;
const ANSWER_LIMIT_MS = 3_000;

/** watchOutages asks each probe again and again, beside each other; an outage is as long as from one answer to the next. */
export function watchOutages(probes: readonly Probe[]): Watch {
  const over = new AbortController();
  const watches = probes.map((probe) => watchOne(probe, over.signal));
  return {
    async stop() {
      over.abort();
      return Promise.all(watches);
    },
  };
}

async function watchOne({ what, ask }: Probe, over: AbortSignal): Promise<Outage> {
  let longestMs = 0;
  let answers = 0;
  let lastMs = performance.now();
  while (!over.aborted) {
    try {
      await ask(AbortSignal.any([over, AbortSignal.timeout(ANSWER_LIMIT_MS)]));
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      answers++;
    } catch {
      // Down; the gap grows.
    }
    await sleep(EVERY_MS, undefined, { signal: over }).catch(() => {});
  }
  return { what, longestMs: Math.max(longestMs, performance.now() - lastMs), answers };
}

/** reportOutages writes what was seen of one way to start a version, for bench/restart.ts: outages-soft-reboot.json. */
export async function reportOutages(
  folder: string,
  way: 'soft-reboot' | 'full-reboot',
  outages: readonly Outage[],
): Promise<void> {
  await writeFileAtomic(join(folder, `outages-${way}.json`), `${JSON.stringify(outages, undefined, 2)}\n`);
}
