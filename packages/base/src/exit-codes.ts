/** Exit codes of every `plinth` command; published in docs/reference/exit-codes.md. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  /** Wrong command line, or a configuration file that is not valid. */
  usage: 2,
  /** Differences or findings: where `--exit-code` asked for them, and always of `audit verify`. */
  findings: 3,
  /** Not authenticated, or not allowed. */
  forbidden: 4,
  /** Some nodes succeeded, some did not; or some of the input could not be read. */
  partial: 5,
  timedOut: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
