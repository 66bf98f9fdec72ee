import type { OutputStream } from '../framework/context.ts';

/** A terminal that understands what our renderers send (ECMA-48: CR, LF, CUU, EL, ED, SGR; DEC private modes). */
export interface FakeTerminal extends OutputStream {
  readonly columns: number;
  readonly rows: number;
  /** Everything that scrolled away and what is on the screen, without empty lines at the end. */
  text(): string;
  /** Whether the cursor can be seen. */
  cursorShown(): boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what a terminal reads
const TOKEN = /\u001b\[(\??)([\d;]*)([A-Za-z])|\r|\n|[^\u001b\r\n]/gu;

/** createFakeTerminal starts with an empty screen and throws on any sequence it does not know. */
export function createFakeTerminal(columns: number, rows: number): FakeTerminal {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  let top = 0;
  let shown = true;

  function control(isPrivate: boolean, parameter: string, letter: string): void {
    if (isPrivate) {
      if (parameter === '25') shown = letter === 'h';
      else if (parameter !== '2026') throw new Error(`unknown mode ${parameter}`);
    } else if (letter === 'A') {
      // A cursor cannot go above the screen: what scrolled away is out of reach.
      row = Math.max(top, row - Number(parameter || 1));
    } else if (letter === 'K') {
      lines[row]?.splice(column);
    } else if (letter === 'J') {
      lines[row]?.splice(column);
      lines.splice(row + 1);
    } else if (letter !== 'm') {
      throw new Error(`unknown sequence ${parameter}${letter}`);
    }
  }

  function lineFeed(): void {
    row++;
    column = 0;
    lines[row] ??= [];
    top = Math.max(top, row - rows + 1);
  }

  return {
    isTTY: true,
    columns,
    rows,
    write: (text) => {
      const words = typeof text === 'string' ? text : Buffer.from(text).toString();
      for (const [token, isPrivate, parameter, letter] of words.matchAll(TOKEN)) {
        if (letter !== undefined) control(isPrivate === '?', parameter ?? '', letter);
        else if (token === '\r') column = 0;
        else if (token === '\n') lineFeed();
        else {
          if (column >= columns) lineFeed();
          const line = lines[row];
          if (line) line[column++] = token;
        }
      }
    },
    text: () =>
      lines
        .map((line) =>
          Array.from(line, (char) => char ?? ' ')
            .join('')
            .trimEnd(),
        )
        .join('\n')
        .trimEnd(),
    cursorShown: () => shown,
  };
}
