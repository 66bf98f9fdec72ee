/** What a long-running action reports while it runs. Renderers (tree, plain lines, JSON) live in the CLI. */
export interface Progress {
  /**
   * Runs `work` as a named step below this one and reports start, end and duration.
   * @param title what happens, imperative and short: "Unpack 103 packages"
   */
  step<T>(title: string, work: (step: Progress) => Promise<T>): Promise<T>;
  /** Replaces the step's note, e.g. "41/103" or "12.4 MB of 35.0 MB". Cheap; called often. */
  note(text: string): void;
  /** Marks the running step as taken from cache (shown as such, not as work done). */
  cached(reason: string): void;
  /** A warning that stays visible after the step ends. */
  warn(message: string): void;
}

/** Progress that reports nothing; for tests and library callers. */
export const silentProgress: Progress = {
  step: (_title, work) => work(silentProgress),
  note: () => {},
  cached: () => {},
  warn: () => {},
};
