import { LIMITS } from './limits.ts';

/** One document of a stream, not yet parsed; or an item of a list, which is checked like a document. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Line of the input that its first line is, from 1. */
  readonly firstLine: number;
  /** Its bytes are cut: it is larger than a document may be. */
  readonly tooLarge: boolean;
  /** Characters that stand before it on its first line. */
  readonly columnsBefore: number;
  readonly isJson: boolean;
}

const NEWLINE = 0x0a;

/**
 * splitDocuments cuts a stream of YAML into documents without parsing them, so that a broken one spoils no other, and
 * lists ("items:") into their items, so that a dump of a cluster never is in memory as a whole. At most one document is
 * kept at a time.
 */
export async function* splitDocuments(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Piece> {
  const splitter = createSplitter();
  let rest: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, end + 1);
      yield* splitter.line(rest.length === 0 ? line : Buffer.concat([...rest, line]));
      rest = [];
      from = end + 1;
    }
    // A line that never ends is no document that anybody meant.
    if (from < chunk.length) rest.push(Uint8Array.from(chunk.subarray(from)));
    const waiting = rest.reduce((sum, { length }) => sum + length, 0);
    if (waiting > LIMITS.documentBytes * 2)
      rest = [Buffer.concat(rest).subarray(0, LIMITS.documentBytes + 1)];
  }
  if (rest.length > 0) yield* splitter.line(Buffer.concat(rest));
  yield* splitter.end();
}

interface Splitter {
  line(bytes: Uint8Array): Generator<Piece>;
  end(): Generator<Piece>;
}

/** What the lines so far belong to. */
type Where = { readonly in: 'document' } | { readonly in: 'items'; readonly indent: number | undefined };

function createSplitter(): Splitter {
  let lines: Uint8Array[] = [];
  let sizeBytes = 0;
  let firstLine = 1;
  let lineNumber = 0;
  let where: Where = { in: 'document' };

  function* flush(): Generator<Piece> {
    if (sizeBytes > 0)
      yield {
        bytes: Buffer.concat(lines),
        firstLine,
        tooLarge: sizeBytes > LIMITS.documentBytes,
        columnsBefore: 0,
        isJson: false,
      };
    lines = [];
    sizeBytes = 0;
  }
  const keep = (bytes: Uint8Array) => {
    if (sizeBytes === 0) firstLine = lineNumber;
    sizeBytes += bytes.length;
    if (sizeBytes <= LIMITS.documentBytes + 1) lines.push(Uint8Array.from(bytes));
  };

  return {
    *line(bytes) {
      lineNumber++;
      if (isMarker(bytes)) {
        yield* flush();
        where = { in: 'document' };
        // What stands behind the marker on its line belongs to the document.
        if (bytes[0] === 0x2d && !/^---\s*(?:#.*)?$/.test(head(bytes))) {
          keep(Buffer.from(`   ${Buffer.from(bytes.subarray(3)).toString('latin1')}`, 'latin1'));
        }
        return;
      }
      if (where.in === 'document' && /^items:\s*(?:#.*)?$/.test(head(bytes))) {
        // The head of the list has been kept; what follows "items:" comes one by one.
        yield* flush();
        where = { in: 'items', indent: undefined };
        return;
      }
      if (where.in === 'items') {
        const item = /^( *)- /.exec(head(bytes));
        const indent = item?.[1]?.length;
        if (indent !== undefined && (where.indent === undefined || indent === where.indent)) {
          yield* flush();
          where = { in: 'items', indent };
          const blank = Uint8Array.from(bytes);
          blank[indent] = 0x20;
          keep(blank);
          return;
        }
        if (bytes[0] !== undefined && !/^[\s#-]/.test(String.fromCharCode(bytes[0]))) {
          // The rest of the list: kind, metadata.
          yield* flush();
          where = { in: 'document' };
        }
      }
      keep(bytes);
    },
    *end() {
      yield* flush();
    },
  };
}

/** "---" and "..." at the start of a line are markers wherever they stand, also inside texts of many lines. */
function isMarker(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  if (a !== b || b !== c || (a !== 0x2d && a !== 0x2e)) return false;
  return d === undefined || d === 0x20 || d === 0x09 || d === 0x0a || d === 0x0d;
}

function head(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 200)).toString('latin1').trimEnd();
}
