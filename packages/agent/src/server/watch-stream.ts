/** Who is told how a stream goes. */
export interface StreamWatcher {
  /** Ends the stream when it aborts, also one that waits for its next message. */
  readonly signal: AbortSignal;
  /** Each message, when the client has taken the one before. */
  onMessage(): void;
  /** Once, when the client has seen the end: all messages, a failure, or the client left. */
  onEnd(failure: unknown): void;
  /** Once, when what made the messages has ended too; not before onEnd. */
  onRelease(): void;
}

/**
 * watchStream passes messages on, one at a time as the reader asks, and ends with the signal. The source is told to end in
 * every case: an iterator that hangs in a wait of its own holds its place until it has ended.
 */
export function watchStream<T>(source: AsyncIterable<T>, watcher: StreamWatcher): AsyncIterable<T> {
  const { signal } = watcher;
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  let abandon: (reason: unknown) => void = () => {};

  const end = (failure: unknown, close: boolean) => {
    if (ended) return;
    ended = true;
    signal.removeEventListener('abort', aborted);
    watcher.onEnd(failure);
    const closing = close ? iterator.return?.() : undefined;
    Promise.resolve(closing).then(watcher.onRelease, watcher.onRelease);
  };
  const aborted = () => {
    end(signal.reason, true);
    abandon(signal.reason);
  };
  signal.addEventListener('abort', aborted, { once: true });

  const next = async (): Promise<IteratorResult<T>> => {
    if (signal.aborted) aborted();
    if (ended) {
      if (signal.aborted) throw signal.reason;
      return { done: true, value: undefined };
    }
    try {
      const result = await new Promise<IteratorResult<T>>((resolve, reject) => {
        abandon = reject;
        iterator.next().then(resolve, reject);
      });
      if (result.done) end(undefined, false);
      else watcher.onMessage();
      return result;
    } catch (reason) {
      end(reason, signal.aborted);
      throw reason;
    }
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => {
        end(undefined, true);
        return { done: true, value: undefined };
      },
      throw: async (reason: unknown) => {
        end(reason, true);
        throw reason;
      },
    }),
  };
}
