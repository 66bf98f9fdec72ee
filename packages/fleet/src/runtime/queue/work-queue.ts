/** What the queue is driven by. */
export interface WorkQueueParts {
  /** Keys worked on at the same time. */
  readonly width: number;
  /** Looks at one key; what it gives is when to look again, undefined: when something happens. */
  work(key: string): Promise<number | undefined>;
  /** A look that failed; it is tried again later. */
  failed(key: string, reason: unknown): void;
  readonly nowMs: () => number;
  readonly random: () => number;
}

export interface WorkQueue {
  /** As soon as there is room; a key that waits is not added twice, one at work is looked at once more afterwards. */
  add(key: string): void;
  /** Not before this moment; an earlier one wins. */
  addAt(key: string, atMs: number): void;
  forget(key: string): void;
  /** Keys that wait for room. */
  readonly depth: number;
  /** Ends it: nothing more is begun. Resolves when what runs has ended. */
  close(): Promise<void>;
}

const BACKOFF_MS = { first: 250, most: 60_000 };
/** The longest that setTimeout can. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * openWorkQueue looks at keys, never at one key twice at the same time. Many changes of a key before its turn are one look. A key whose look
 * fails waits longer each time, and nobody waits for it.
 */
export function openWorkQueue({ width, work, failed, nowMs, random }: WorkQueueParts): WorkQueue {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const timers = new Map<string, { readonly atMs: number; readonly timer: NodeJS.Timeout }>();
  const failures = new Map<string, number>();
  let isClosed = false;

  const stopTimer = (key: string) => {
    clearTimeout(timers.get(key)?.timer);
    timers.delete(key);
  };

  const queue: WorkQueue = {
    add(key) {
      if (isClosed) return;
      stopTimer(key);
      if (running.has(key)) again.add(key);
      else waiting.add(key);
      begin();
    },
    addAt(key, atMs) {
      if (isClosed || (timers.get(key)?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) return;
      const delayMs = atMs - nowMs();
      if (delayMs <= 0) return queue.add(key);
      if (waiting.has(key)) return;
      stopTimer(key);
      const timer = setTimeout(() => queue.add(key), Math.min(delayMs, LONGEST_MS));
      timers.set(key, { atMs, timer });
    },
    forget(key) {
      stopTimer(key);
      waiting.delete(key);
      again.delete(key);
      failures.delete(key);
    },
    get depth() {
      return waiting.size;
    },
    async close() {
      isClosed = true;
      for (const key of [...timers.keys()]) stopTimer(key);
      waiting.clear();
      again.clear();
      await Promise.all(running.values());
    },
  };

  function begin(): void {
    for (const key of waiting) {
      if (running.size >= width) return;
      waiting.delete(key);
      running.set(key, look(key));
    }
  }

  async function look(key: string): Promise<void> {
    let nextMs: number | undefined;
    try {
      nextMs = await work(key);
      failures.delete(key);
    } catch (reason) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      failed(key, reason);
      nextMs = nowMs() + backoffMs(count, random());
    }
    running.delete(key);
    if (isClosed) return;
    if (again.delete(key)) waiting.add(key);
    else if (nextMs !== undefined) queue.addAt(key, nextMs);
    begin();
  }

  return queue;
}

function backoffMs(failures: number, random: number): number {
  const most = Math.min(BACKOFF_MS.first * 2 ** Math.min(failures - 1, 20), BACKOFF_MS.most);
  return most * (0.5 + random / 2);
}
