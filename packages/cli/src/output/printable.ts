import { stripVTControlCharacters } from 'node:util';

/** printable makes text from outside safe for a terminal: no escape sequences, no control characters, one line. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** printableLines does the same and keeps the lines apart; tabs become spaces. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => printable(line.replaceAll('\t', '    ')));
}

/** Longest line that is waited for; a file without lines must not be held as a whole. */
const LINE_LIMIT_CHARS = 64 * 1024;

/**
 * printablePieces makes bytes that come in pieces safe for a terminal, line by line; `end` gives what is left.
 * What is cut within a character or an escape sequence is put together first.
 */
export function printablePieces(): {
  readonly piece: (bytes: Uint8Array) => string;
  readonly end: () => string;
} {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    piece(bytes) {
      rest += decoder.decode(bytes, { stream: true });
      const end = rest.length > LINE_LIMIT_CHARS ? rest.length : rest.lastIndexOf('\n') + 1;
      const text = rest.slice(0, end);
      rest = rest.slice(end);
      return printableLines(text).join('\n');
    },
    end() {
      const text = rest + decoder.decode();
      rest = '';
      return text === '' ? '' : `${printableLines(text).join('\n')}\n`;
    },
  };
}

/** jsonLine is a value as one line of JSON that is safe for a terminal: JSON itself lets some control characters pass. */
export function jsonLine(value: unknown): string {
  const asCode = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, asCode)}\n`;
}
