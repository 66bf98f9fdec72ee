import { LIMITS } from './limits.ts';
import type { Piece } from './split-documents.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const ITEMS = Buffer.from('"items"');

/**
 * splitJson cuts a stream of JSON values into single ones, and lists ("items": [...]) into their items, by brackets and
 * quotes alone: whether a piece is JSON is for who parses it. What surrounds the items of a list is one more piece.
 */
export async function* splitJson(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Piece> {
  let depth = 0;
  let inText = false;
  let escaped = false;
  /** The last bytes of the text that is read or was read last, to know the key "items". */
  let word: number[] = [];
  let inItems = false;
  /** Behind the items of a list only its end comes. */
  let inTail = false;
  let line = 1;
  let column = 0;
  let start: { line: number; column: number } | undefined;
  let kept: number[] = [];
  let keptBytes = 0;
  const take = (): Piece | undefined => {
    const piece: Piece | undefined = start && {
      bytes: Uint8Array.from(kept),
      firstLine: start.line,
      columnsBefore: start.column,
      tooLarge: keptBytes > LIMITS.documentBytes,
      isJson: true,
    };
    [start, kept, keptBytes] = [undefined, [], 0];
    return piece;
  };
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      const before = depth;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
        if (word.length <= ITEMS.length) word.push(byte);
      } else if (byte === QUOTE) {
        inText = true;
        word = [QUOTE];
      } else if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) depth = Math.max(0, depth - 1);
      const opensItems = byte === 0x5b && before === 1 && ITEMS.equals(Uint8Array.from(word));
      // Values at the top, or inside "items": each from its opening bracket to the closing one.
      const base = inItems ? 2 : 0;
      if (inItems && depth === 1) [inItems, inTail] = [false, true];
      else if (inTail) inTail = depth > 0;
      else if (!opensItems) {
        if (start === undefined && !inText && depth === base + 1 && before === base) start = { line, column };
        if (start !== undefined) {
          keptBytes++;
          if (keptBytes <= LIMITS.documentBytes + 1) kept.push(byte);
        } else if (!inItems && depth === 0 && !isSpace(byte) && byte !== 0x2c) {
          start = { line, column };
          kept.push(byte);
          keptBytes++;
        }
        if (start !== undefined && !inText && before === base + 1 && depth === base) {
          const piece = take();
          if (piece) yield piece;
        }
      } else {
        // The head of a list is not whole JSON, and says nothing that is checked.
        take();
        inItems = true;
      }
      if (byte === NEWLINE) [line, column] = [line + 1, 0];
      else column++;
    }
  }
  const rest = take();
  if (rest) yield rest;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
