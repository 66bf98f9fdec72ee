import { stripVTControlCharacters } from 'node:util';

/** printable makes text from outside safe for a terminal: no escape sequences, no control characters, one line. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
