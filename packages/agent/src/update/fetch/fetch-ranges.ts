import { PlinthError } from '@plinth/base';
import { type AskAhead, MOST_AHEAD, openAskAhead } from './ask-ahead.ts';
import { addressOf, type FetchParts, guarded, wrongStatus } from './fetch-parts.ts';
import { type HttpAnswer, shown } from './http-client.ts';
import { NotTheServer } from './mirrors.ts';
import { readChunks } from './read-chunks.ts';

export interface ByteRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Parts of one file. Ranges ascend, do not overlap, and are whole blocks, but for the file's end. */
export interface RangeFetch {
  readonly path: string;
  /** Of the whole file, as it was signed. */
  readonly fileBytes: number;
  readonly blockBytes: number;
  readonly ranges: readonly ByteRange[];
  /**
   * Takes what has come: whole blocks, in the order of the ranges, PIECE_BYTES at most. Gives how many leading bytes are good; fewer than
   * all means that the server lied, and the rest is asked for again. The next piece waits until it has ended, and takes its memory.
   */
  accept(offset: number, bytes: Buffer): Promise<number>;
  /** For bytes that can be judged only together: tells whether they are good. If not, or when the server changes, all begins anew. */
  /** What comes can be had otherwise: nobody is asked twice, and no server is left out for what it did. */
  readonly isOptional?: boolean;
  readonly together?: { restart(): Promise<void>; isGood(): Promise<boolean> };
}

export const PIECE_BYTES = 512 * 1024;
/** The next ranges are asked for while so little of the present one is still to come: more would have their answers wait. */
const ASK_AHEAD_BYTES = 1024 * 1024;

/**
 * fetchRanges asks for one range after the other, the next before the present one has ended, goes on where a connection broke, and changes
 * the server when one is of no use. A server without ranges sends the whole file: what is not wanted of it is passed over.
 * @throws update/unreachable, update/stalled, update/content-wrong; whatever `accept` throws
 */
export async function fetchRanges(parts: FetchParts, fetch: RangeFetch): Promise<void> {
  const cursor = openCursor(fetch);
  const etags = new Map<string, string>();
  const piece = Buffer.alloc(PIECE_BYTES);
  let lastBase: URL | undefined;
  await parts.mirrors.attempt(
    fetch.path,
    async (base, progressed) => {
      if (fetch.together && lastBase !== undefined && lastBase !== base) await cursor.restart();
      lastBase = base;
      const url = addressOf(base, fetch.path);
      const ahead = openAskAhead((range) => ask(parts, etags, url, range));
      try {
        while (cursor.wanted()) await fetchSome({ ...parts, ahead, progressed, piece }, fetch, url, cursor);
      } finally {
        ahead.drop();
      }
      if (!fetch.together || (await fetch.together.isGood())) return;
      await cursor.restart();
      throw wrong(url, 'other bytes than those that were signed');
    },
    parts.signal,
    fetch.isOptional,
  );
}

interface Cursor {
  /** What is still wanted of the present range; undefined at the end. */
  wanted(): ByteRange | undefined;
  /** Ranges after the present one. */
  coming(most: number): readonly ByteRange[];
  /** Counts leading bytes of the wanted range as done. */
  done(bytes: number): void;
  restart(): Promise<void>;
}

function openCursor({ ranges, together }: RangeFetch): Cursor {
  let index = 0;
  let doneBytes = 0;
  return {
    wanted() {
      const range = ranges[index];
      return range && { offset: range.offset + doneBytes, sizeBytes: range.sizeBytes - doneBytes };
    },
    coming: (most) => ranges.slice(index + 1, index + 1 + most),
    done(bytes) {
      doneBytes += bytes;
      if (doneBytes < (ranges[index]?.sizeBytes ?? 0)) return;
      index++;
      doneBytes = 0;
    },
    async restart() {
      [index, doneBytes] = [0, 0];
      await together?.restart();
    },
  };
}

type Attempt = FetchParts & {
  readonly ahead: AskAhead;
  readonly progressed: () => void;
  /** Where pieces are put together; one buffer for all. */
  readonly piece: Buffer;
};

/** One request: the rest of the wanted range, or, from a server without ranges, all that is still wanted. */
async function fetchSome(attempt: Attempt, fetch: RangeFetch, url: URL, cursor: Cursor): Promise<void> {
  const range = cursor.wanted();
  if (!range) return;
  const answer = await attempt.ahead.take(range);
  const { at: start, whole, isMeasured } = bodyStart(answer, url, range, fetch.fileBytes);
  let at = start;
  let isOver = false;
  const { piece } = attempt;
  let pendingBytes = 0;

  const restBytes = () => (cursor.wanted()?.sizeBytes ?? 0) - pendingBytes;
  const hand = async (bytes: number) => {
    const wanted = cursor.wanted();
    if (!wanted || bytes === 0) return;
    const keptBytes = pendingBytes - bytes;
    pendingBytes = 0; // what is refused is not handed over again
    const good = await fetch.accept(wanted.offset, piece.subarray(0, bytes)).catch((reason: unknown) => {
      throw new NotTheServer(reason);
    });
    piece.copyWithin(0, bytes, bytes + keptBytes);
    pendingBytes = keptBytes;
    if (good > 0) attempt.progressed();
    cursor.done(good);
    if (good < bytes)
      throw wrong(url, `bytes from ${wanted.offset + good} on that are not those that were signed`);
  };

  try {
    for await (const chunk of guarded(readChunks(answer.body, attempt.stallMs, shown(url)), url)) {
      attempt.came(chunk.length);
      if (isOver) return;
      if (!whole && restBytes() <= ASK_AHEAD_BYTES) attempt.ahead.ask(cursor.coming(MOST_AHEAD));
      for (let used = 0; used < chunk.length; ) {
        const wanted = cursor.wanted();
        if (!wanted) return;
        // Where the next byte for `pending` is in the file.
        const next = wanted.offset + pendingBytes;
        const skip = Math.min(next - at, chunk.length - used);
        used += skip;
        at += skip;
        const take = Math.min(
          chunk.length - used,
          wanted.sizeBytes - pendingBytes,
          PIECE_BYTES - pendingBytes,
        );
        if (take <= 0) continue;
        chunk.copy(piece, pendingBytes, used, used + take);
        pendingBytes += take;
        used += take;
        at += take;
        const rangeEnds = pendingBytes === wanted.sizeBytes;
        if (rangeEnds || pendingBytes === PIECE_BYTES) await hand(pendingBytes);
        if (!rangeEnds || whole) continue;
        // The end of the answer is read too, so that its connection serves the next one.
        isOver = true;
        if (!isMeasured) return;
        break;
      }
      await attempt.rate.passed(chunk.length, attempt.signal);
      attempt.signal.throwIfAborted();
    }
    if (isOver || !cursor.wanted()) return;
    const state = `the answer ends at byte ${at}, expected it to go on`;
    throw new PlinthError('update/unreachable', `Cannot fetch ${shown(url)}: ${state}`, { retryable: true });
  } catch (reason) {
    // Whole blocks that came before the connection broke count. Those of a liar do not.
    const isLiar = reason instanceof PlinthError && reason.code === 'update/content-wrong';
    if (!isLiar && !attempt.signal.aborted) await hand(pendingBytes - (pendingBytes % fetch.blockBytes));
    throw reason;
  } finally {
    answer.body.destroy();
  }
}

async function ask(
  { http, stallMs, signal }: FetchParts,
  etags: Map<string, string>,
  url: URL,
  range: ByteRange,
): Promise<HttpAnswer> {
  const etag = etags.get(url.href);
  const answer = await http.get(url, {
    headers: {
      range: `bytes=${range.offset}-${range.offset + range.sizeBytes - 1}`,
      // Not a matter of trust: a file that was replaced gives its whole new self at once instead of blocks that are all refused.
      ...(etag && { 'if-range': etag }),
    },
    ...{ timeoutMs: stallMs, signal },
  });
  const given = answer.headers.etag;
  if (given !== undefined && !given.startsWith('W/') && given.length < 256) etags.set(url.href, given);
  return answer;
}

/** Where in the file the body starts, and whether its length is told to be that of the range. */
function bodyStart(
  { status, headers, body }: HttpAnswer,
  url: URL,
  { offset, sizeBytes }: ByteRange,
  fileBytes: number,
): { readonly at: number; readonly whole: boolean; readonly isMeasured: boolean } {
  const refuse = (reason: PlinthError) => {
    body.destroy();
    return reason;
  };
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw refuse(wrong(url, `a body in the encoding ${encoding}`));
  if (status === 206) {
    const given = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
    const [first, last, total] = (given?.slice(1) ?? []).map(Number);
    const fits = first === offset && last !== undefined && last >= offset && last < offset + sizeBytes;
    if (!fits || (Number.isInteger(total) && total !== fileBytes)) {
      throw refuse(wrong(url, `the range "${headers['content-range'] ?? ''}"`));
    }
    return { at: offset, whole: false, isMeasured: headers['content-length'] === `${sizeBytes}` };
  }
  if (status !== 200) throw refuse(wrongStatus(url, status, '206'));
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== fileBytes) throw refuse(wrong(url, `${length} bytes`));
  return { at: 0, whole: true, isMeasured: false };
}

function wrong(url: URL, state: string): PlinthError {
  return new PlinthError('update/content-wrong', `Cannot use ${shown(url)}: it gives ${state}`);
}
