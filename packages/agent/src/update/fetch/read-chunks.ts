import type { Readable } from 'node:stream';
import { PlinthError } from '@plinth/base';

/** A server that sends less than this in the time of a stall sends nothing worth waiting for. */
const LEAST_BYTES = 4096;

/**
 * readChunks gives a body as it comes. Only the time in which nothing is there to read counts, not that of the reader.
 * @param stallMs how long it may wait, in sum, for LEAST_BYTES
 * @throws update/stalled, and what the stream fails with
 */
export async function* readChunks(body: Readable, stallMs: number, what: string): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let waitedMs = 0;
  let cameBytes = 0;
  try {
    for (;;) {
      const startMs = performance.now();
      const next = await within(chunks.next(), stallMs - waitedMs, () => {
        const state = `${cameBytes} bytes within ${stallMs} ms, expected ${LEAST_BYTES} at least`;
        return new PlinthError('update/stalled', `Cannot fetch ${what}: ${state}`, { retryable: true });
      });
      if (next.done) return;
      waitedMs += performance.now() - startMs;
      cameBytes += next.value.length;
      if (cameBytes >= LEAST_BYTES) [waitedMs, cameBytes] = [0, 0];
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

async function within<T>(work: Promise<T>, timeMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), Math.max(timeMs, 1));
      }),
    ]);
  } finally {
    clearTimeout(timer);
    // Who lost the race is not waited for: it ends with the stream.
    work.catch(() => {});
  }
}
