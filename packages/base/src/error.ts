import { describeCode, type ErrorCode } from './codes/index.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** A place in a text file; line and column start at 1, length counts characters. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** One finding about some input. Expected outcomes (parsing, checking) are values of this shape, not exceptions. */
export interface Diagnostic {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning' | 'info';
  /** "Cannot <verb> <object>: <state>, expected <state>". */
  readonly message: string;
  /** Where in a document: "$.storage.slots[1].sizeBytes". */
  readonly path?: string;
  readonly span?: Span;
  /** Set when the line of the span may hold a secret: its place is told, its text is not shown. */
  readonly secret?: true;
  /** One action, imperative. */
  readonly hint?: string;
}

export interface PlinthErrorOptions {
  readonly hint?: string;
  /** Facts that are safe to log and to show; never a secret. */
  readonly details?: Readonly<Record<string, string | number>>;
  /** Whether the same call may succeed when simply tried again. */
  readonly retryable?: boolean;
  readonly diagnostics?: readonly Diagnostic[];
  readonly cause?: unknown;
}

/** The one error class. `message` reads "Cannot <verb> <object>: <state>, expected <state>". */
export class PlinthError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, string | number>>;
  readonly retryable: boolean;
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: ErrorCode, message: string, options: PlinthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlinthError';
    this.code = code;
    this.hint = options.hint ?? describeCode(code).fix;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
    this.diagnostics = options.diagnostics ?? [];
  }

  /** The exit code a command ends with when this error ends it. */
  get exitCode(): ExitCode {
    return (describeCode(this.code).exitCode ?? exitCodes.failed) as ExitCode;
  }

  /** Turns anything thrown into a PlinthError: one passes through, the rest is wrapped under `code`. */
  static from(reason: unknown, code: ErrorCode, prefix: string): PlinthError {
    if (reason instanceof PlinthError) return reason;
    const text = messageOf(reason);
    return new PlinthError(code, `${prefix}: ${text}`, { cause: reason });
  }
}

/** Marks a branch that cannot be reached; throws `internal/bug` when it is. */
export function unreachable(what: string): never {
  throw new PlinthError('internal/bug', `Cannot continue: ${what}, expected never to be reached`);
}

/** messageOf is the text of whatever was thrown. */
export function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
