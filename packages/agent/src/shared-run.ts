/** singleFlight lets callers that come while work is under way share its result instead of starting it again. */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** onlyOnce keeps the first success for good; for facts that cannot change before a reboot. */
export function onlyOnce<T>(work: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () => {
    kept ??= work().catch((reason: unknown) => {
      kept = undefined;
      throw reason;
    });
    return kept;
  };
}
