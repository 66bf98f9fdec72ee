import type { Progress } from '@plinth/base';
import type { Style } from '../output/style.ts';
import type { OutputFormat } from './result.ts';
import type { Terminal } from './terminal.ts';

/** Where text goes; `process.stdout` is one. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string | Uint8Array): unknown;
}

/** The world a command line runs in; tests bring their own. */
export interface Surroundings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks a question on the terminal; absent when there is nobody to ask. */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string>;
  /** Screen and keyboard; absent when standard input and output are not both a terminal. */
  readonly terminal?: Terminal;
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
  readonly writeOut: (text: string | Uint8Array) => void;
  /** The form of the result that was asked for, for commands that write their items one by one. */
  readonly format: OutputFormat;
  /** Whether standard output is a terminal: what comes from outside must not command it. */
  readonly isTerminal: boolean;
  /** Writes a line to standard error, for news that are neither progress nor result; -q hides it. */
  readonly say: (line: string) => void;
  /** Asks yes or no; undefined when there is nobody to ask. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Asks for a line of text; absent when there is nobody to ask. @throws cli/interrupted when input ends */
  readonly askText?: (question: string) => Promise<string>;
  /** Stops drawing progress while something else owns the terminal. */
  readonly suspendProgress: <T>(work: () => Promise<T>) => Promise<T>;
  /** Screen and keyboard, for commands that own them; absent when there is no terminal. */
  readonly terminal?: Terminal;
}
