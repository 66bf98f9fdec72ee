import type { Progress } from '@plinth/base';
import type { Style } from '../output/style.ts';

/** Where text goes; `process.stdout` is one. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** The world a command line runs in; tests bring their own. */
export interface Surroundings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks a question on the terminal; absent when there is nobody to ask. */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string>;
}

/** What a command's handler works with. */
export interface CommandContext {
  readonly progress: Progress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly env: Surroundings['env'];
  /** Style for standard output. */
  readonly style: Style;
  /** Writes to standard output as it is, for commands whose product is a stream of text. */
  readonly writeOut: (text: string) => void;
  /** Writes a line to standard error, for news that are neither progress nor result; -q hides it. */
  readonly say: (line: string) => void;
  /** Asks yes or no; undefined when there is nobody to ask. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Stops drawing progress while something else owns the terminal. */
  readonly suspendProgress: <T>(work: () => Promise<T>) => Promise<T>;
}
