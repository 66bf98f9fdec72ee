import { PlinthError } from '@plinth/base';

/** Most bytes in one message of an upload: a node refuses messages of more than 64 KiB. */
export const CHUNK_LIMIT_BYTES = 48 * 1024;

/** A file on its way to a node. */
export interface Transfer {
  readonly sizeBytes: number;
  /** The bytes, in pieces of any size. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Told how many bytes have been handed over so far. */
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
}

/**
 * cutIntoChunks cuts a transfer into pieces of at most CHUNK_LIMIT_BYTES.
 * @throws api/broken-transfer when the content is not as long as announced
 */
export async function* cutIntoChunks({
  sizeBytes,
  content,
  onProgress,
}: Transfer): AsyncGenerator<Uint8Array> {
  let sentBytes = 0;
  for await (const piece of content) {
    if (sentBytes + piece.length > sizeBytes) throw broken('send', 'there is more of it', sizeBytes);
    for (let at = 0; at < piece.length; at += CHUNK_LIMIT_BYTES) {
      const chunk = piece.subarray(at, at + CHUNK_LIMIT_BYTES);
      yield chunk;
      sentBytes += chunk.length;
      onProgress?.(sentBytes);
    }
  }
  if (sentBytes !== sizeBytes) throw broken('send', `it ended after ${sentBytes} bytes`, sizeBytes);
}

/** One message of a download. */
export interface Received {
  readonly chunk: Uint8Array;
  readonly remainingBytes: bigint;
}

/**
 * checkReceived passes the pieces of a download on, as long as they add up to what the first one announced.
 * @param limitBytes more is refused with the first message
 * @throws api/broken-transfer
 */
export async function* checkReceived(
  messages: AsyncIterable<Received>,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let totalBytes: bigint | undefined;
  let receivedBytes = 0n;
  for await (const { chunk, remainingBytes } of messages) {
    receivedBytes += BigInt(chunk.length);
    totalBytes ??= receivedBytes + remainingBytes;
    if (totalBytes > BigInt(limitBytes)) {
      throw new PlinthError(
        'api/broken-transfer',
        `Cannot receive the file: it has ${totalBytes} bytes, expected at most ${limitBytes}`,
      );
    }
    if (receivedBytes + remainingBytes !== totalBytes) {
      throw broken('receive', `${receivedBytes} bytes came and ${remainingBytes} are to come`, totalBytes);
    }
    yield chunk;
  }
  if (totalBytes === undefined || receivedBytes !== totalBytes) {
    throw broken('receive', `it ended after ${receivedBytes} bytes`, totalBytes ?? 'some');
  }
}

/**
 * checkLast passes the pieces of a download on whose length nobody knew when it began: its last message says so.
 * @param what its name in the message, "the packets"
 * @throws api/broken-transfer when it ends without
 */
export async function* checkLast(
  messages: AsyncIterable<{ readonly chunk: Uint8Array; readonly last: boolean }>,
  what: string,
): AsyncGenerator<Uint8Array> {
  let complete = false;
  for await (const { chunk, last } of messages) {
    complete = last;
    if (chunk.length > 0) yield chunk;
  }
  if (!complete)
    throw new PlinthError(
      'api/broken-transfer',
      `Cannot receive ${what}: it ended early, expected all of it`,
    );
}

function broken(verb: string, state: string, expectedBytes: number | bigint | string): PlinthError {
  return new PlinthError(
    'api/broken-transfer',
    `Cannot ${verb} the file: ${state}, expected ${expectedBytes} bytes`,
  );
}
