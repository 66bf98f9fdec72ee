/** A guest may print without end and without a line break; more than this of one line is never kept. */
const MAX_LINE_LENGTH = 4096;

export interface ConsoleLines {
  /** Takes the next piece of output and gives the lines that it completes. */
  push(chunk: string): string[];
  /** Gives the last line, which no line break ended. */
  end(): string[];
}

/** readLines splits console output into lines of plain text: no control sequences, no blanks at the end. Pure. */
export function readLines(): ConsoleLines {
  let partial = '';
  return {
    push(chunk) {
      const pieces = (partial + chunk).split(/\r*\n|\r(?=[^\r\n])/);
      partial = (pieces.pop() ?? '').slice(-MAX_LINE_LENGTH);
      return pieces.map(plainText).filter((line) => line !== '');
    },
    end() {
      const line = plainText(partial);
      partial = '';
      return line === '' ? [] : [line];
    },
  };
}

/** ECMA-48: control sequences (private ones of firmware included), operating system commands, two-byte escapes. */
const ESCAPE = String.fromCodePoint(0x1b);
const BELL = String.fromCodePoint(0x07);
const SEQUENCES = new RegExp(
  [
    `${ESCAPE}\\[[0-?]*[ -/]*[@-~]`,
    `${ESCAPE}\\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)`,
    `${ESCAPE}[ -/]*[0-~]`,
  ].join('|'),
  'g',
);

/** plainText removes control sequences and characters: a hostile guest must not play on the reader's terminal. */
export function plainText(text: string): string {
  return text
    .slice(0, MAX_LINE_LENGTH)
    .replace(SEQUENCES, '')
    .replace(/\p{Cc}/gu, '')
    .trimEnd();
}
