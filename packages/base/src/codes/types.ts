/** One documented failure. `docs/reference/errors.md` is generated from these entries. */
export interface CodeEntry {
  /** What state of the world the code names, one sentence. */
  readonly meaning: string;
  /** The usual causes, most likely first. */
  readonly cause: string;
  /** What the reader does next, imperative. */
  readonly fix: string;
  /** Exit code of the command line, see `exit-codes.ts`. Absent: 1. */
  readonly exitCode?: number;
}

/** The codes of one area, keyed by `area/what`. */
export type CodeTable = Readonly<Record<string, CodeEntry>>;
