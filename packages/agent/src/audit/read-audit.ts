import type { AuditFiles } from './audit-files.ts';
import { firstSequence } from './audit-files.ts';

/** A line of the log and its number. */
export interface AuditLine {
  readonly sequence: number;
  readonly line: string;
}

const READ_BYTES = 64 * 1024;
/** A line is far shorter; a file that was changed may hold anything. */
const LINE_LIMIT_BYTES = 16 * 1024;
const NEWLINE = 0x0a;

/** readFileLines gives the whole lines of one file of the log; bytes after the last line break are left out. */
export async function* readFileLines(files: AuditFiles, name: string): AsyncGenerator<string> {
  let offset = 0;
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const bytes = await files.read(name, offset, READ_BYTES);
    if (bytes.length === 0) return;
    offset += bytes.length;
    let text = Buffer.concat([rest, bytes]);
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE)) {
      yield text.toString('utf8', 0, end);
      text = text.subarray(end + 1);
    }
    // A line without an end is cut up, so that it cannot fill the memory; its pieces are no audit lines.
    for (; text.length > LINE_LIMIT_BYTES; text = text.subarray(LINE_LIMIT_BYTES))
      yield text.toString('utf8', 0, LINE_LIMIT_BYTES);
    rest = text;
  }
}

/** readFrom gives the lines that are on file, from a number on, oldest first. */
export async function* readFrom(files: AuditFiles, from: number): AsyncGenerator<AuditLine> {
  const all = await files.list();
  const names = all.map(({ name }) => name);
  const start = Math.max(
    0,
    names.findLastIndex((name) => firstSequence(name) <= from),
  );
  for (const name of names.slice(start)) {
    let sequence = firstSequence(name);
    for await (const line of readFileLines(files, name)) {
      if (sequence >= from) yield { sequence, line };
      sequence++;
    }
  }
}
