import { messageOf } from '@plinth/base';
import type { NodeConsole } from '../../console.ts';
import { pause, type Sleep } from '../../repeat.ts';

/** The network comes up first. */
const FIRST_MS = 2 * 60_000;
const EVERY_MS = 6 * 60 * 60_000;
const AGAIN_MS = 20 * 60_000;

export interface NowAndThen {
  /** One look at the repository. */
  readonly ask: () => Promise<unknown>;
  /** Whether there is a repository to ask at all. */
  readonly wanted: () => boolean;
  readonly console: Pick<NodeConsole, 'say'>;
  /** What speaks, on the console. */
  readonly topic: string;
}

/**
 * askNowAndThen asks a repository soon after the start and then four times a day, not all nodes of a house at once; after a failure sooner. The same failure is
 * said once. Never throws.
 */
export async function askNowAndThen(
  { ask, wanted, console, topic }: NowAndThen,
  signal: AbortSignal,
  sleep: Sleep = pause,
): Promise<void> {
  let said = '';
  await sleep(FIRST_MS + Math.random() * FIRST_MS, signal);
  while (!signal.aborted) {
    let failed = false;
    if (wanted()) {
      try {
        await ask();
        said = '';
      } catch (reason) {
        failed = true;
        const text = messageOf(reason);
        if (text !== said && !signal.aborted) console.say(`${topic}: ${text}`);
        said = text;
      }
    }
    await sleep((failed ? AGAIN_MS : EVERY_MS) * (0.9 + Math.random() * 0.2), signal);
  }
}
