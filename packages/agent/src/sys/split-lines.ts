/** A line is cut here: none of the kernel's is as long, but for the folders of an overlay. */
export const LINE_LIMIT_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * splitLines cuts bytes into lines, those of one piece at a time, so that the longest input costs the memory of one piece.
 * The newline is taken off, an empty line is kept, and what a line has beyond 64 KiB is dropped.
 */
export async function* splitLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let begun: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const lines: string[] = [];
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      const rest = piece.subarray(start, end);
      lines.push(text(begun.length === 0 ? rest : Buffer.concat([begun, rest])));
      begun = Buffer.alloc(0);
      start = end + 1;
    }
    if (start < piece.length && begun.length < LINE_LIMIT_BYTES)
      begun = Buffer.concat([begun, piece.subarray(start)]).subarray(0, LINE_LIMIT_BYTES);
    if (lines.length > 0) yield lines;
  }
  if (begun.length > 0) yield [text(begun)];
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8', 0, Math.min(bytes.length, LINE_LIMIT_BYTES));
}
