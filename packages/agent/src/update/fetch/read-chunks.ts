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
  const chunks: AsyncIterable<Buffer> = body;
  let waitedMs = 0;
  let cameBytes = 0;
  let waitsSinceMs = performance.now();
  let reads = false;
  const late = () => {
    const state = `${cameBytes} bytes within ${stallMs} ms, expected ${LEAST_BYTES} at least`;
    body.destroy(new PlinthError('update/stalled', `Cannot fetch ${what}: ${state}`, { retryable: true }));
  };
  // One timer looks at all chunks: one for each would cost as much as they do.
  const timer = setInterval(
    () => {
      if (!reads && waitedMs + performance.now() - waitsSinceMs >= stallMs) late();
    },
    Math.max(Math.min(stallMs / 8, 1000), 1),
  );
  try {
    for await (const chunk of chunks) {
      waitedMs += performance.now() - waitsSinceMs;
      cameBytes += chunk.length;
      if (cameBytes >= LEAST_BYTES) [waitedMs, cameBytes] = [0, 0];
      reads = true;
      yield chunk;
      [reads, waitsSinceMs] = [false, performance.now()];
    }
  } finally {
    clearInterval(timer);
    body.destroy();
  }
}
