/** A number of places that work waits for. */
export interface Places {
  /** Waits for a place, first come first served; gives what frees it. */
  take(): Promise<() => void>;
}

/** openPlaces gives so many places, all free. */
export function openPlaces(count: number): Places {
  let left = count;
  const waiting: (() => void)[] = [];
  const free = () => {
    const next = waiting.shift();
    if (next) next();
    else left++;
  };
  return {
    async take() {
      if (left > 0) left--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let held = true;
      return () => {
        if (held) free();
        held = false;
      };
    },
  };
}

/** yieldAsTheyCome gives results in the order they are there. The works must not reject. */
export async function* yieldAsTheyCome<T>(works: readonly Promise<T>[]): AsyncGenerator<T> {
  const done: T[] = [];
  let wake = () => {};
  for (const work of works)
    void work.then((value) => {
      done.push(value);
      wake();
    });
  for (let given = 0; given < works.length; ) {
    const ready = done.splice(0);
    if (ready.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    for (const value of ready) {
      given++;
      yield value;
    }
  }
}

/** Hands items of many writers to one reader, one at a time: a writer waits until its item was taken. */
export interface Channel<T> {
  /** Resolves when the reader has asked for the next item, or has gone. */
  put(item: T): Promise<void>;
  /** Ends the reader after what was put; with a reason it throws that. */
  end(reason?: unknown): void;
  items(): AsyncGenerator<T>;
}

/** openChannel gives a channel for one reader. */
export function openChannel<T>(): Channel<T> {
  const waiting: { readonly item: T; readonly taken: () => void }[] = [];
  let ended: { readonly reason: unknown } | undefined;
  let wake = () => {};
  return {
    put: (item) =>
      new Promise((taken) => {
        if (ended) return taken();
        waiting.push({ item, taken });
        wake();
      }),
    end(reason) {
      ended ??= { reason };
      wake();
    },
    async *items() {
      try {
        for (;;) {
          const next = waiting.shift();
          if (next) {
            try {
              yield next.item;
            } finally {
              next.taken(); // also when the reader goes and never comes back for more
            }
          } else if (ended) {
            if (ended.reason !== undefined) throw ended.reason;
            return;
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        ended ??= { reason: undefined };
        for (const { taken } of waiting.splice(0)) taken();
      }
    },
  };
}
