import { type LogFile, nothingThere, openLog } from './container-files.ts';

const NEWLINE = 0x0a;
const PIECE_BYTES = 64 * 1024;

/**
 * tailStart finds where the last lines of a log begin: the files that hold them, and the offset in the first of these.
 * Without a number everything is meant. It does not look back into compressed files, which would have to be read whole;
 * the lines before are then left out.
 */
export async function tailStart(
  files: readonly LogFile[],
  lines: number | undefined,
): Promise<{ readonly files: readonly LogFile[]; readonly offsetBytes: number }> {
  if (lines === undefined) return { files, offsetBytes: 0 };
  let wanted = lines;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index];
    if (!file || file.compressed) return { files: files.slice(index + 1), offsetBytes: 0 };
    const { offsetBytes, found } = await lastLines(file.path, wanted);
    wanted -= found;
    if (wanted === 0) return { files: files.slice(index), offsetBytes };
  }
  return { files, offsetBytes: 0 };
}

/** Looks backwards for the beginnings of lines. A last line without an end counts as one. */
async function lastLines(path: string, wanted: number): Promise<{ offsetBytes: number; found: number }> {
  const file = await openLog(path).catch(nothingThere);
  if (!file) return { offsetBytes: 0, found: 0 };
  try {
    const { size } = await file.stat();
    if (wanted === 0) return { offsetBytes: size, found: 0 };
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let found = 0;
    // The line break at the very end ends the last line and begins none.
    for (let end = Math.max(size - 1, 0); end > 0; ) {
      const from = Math.max(end - PIECE_BYTES, 0);
      const { bytesRead } = await file.read(piece, 0, end - from, from);
      let at = bytesRead;
      while (at > 0) {
        at = piece.subarray(0, at).lastIndexOf(NEWLINE);
        if (at < 0) break;
        if (++found === wanted) return { offsetBytes: from + at + 1, found };
      }
      end = from;
    }
    return { offsetBytes: 0, found: size > 0 ? found + 1 : 0 };
  } finally {
    await file.close();
  }
}
