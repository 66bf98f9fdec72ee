import type { ClientHttp2Stream } from 'node:http2';

/**
 * allowLateReader makes the async iterator of an HTTP/2 stream give what came before it was begun.
 *
 * Over a stream of JavaScript (a tunnel) answer and end of a call can arrive in one turn of the event loop, before anybody
 * could begin to read. Node's own iterator then takes the end of the HTTP/2 stream (`closed`) for the loss of the readable
 * one, and throws "Premature close" although every byte is there. Over a socket of the system this does not happen.
 */
export function allowLateReader(stream: ClientHttp2Stream): void {
  Object.defineProperty(stream, Symbol.asyncIterator, { value: () => read(stream) });
}

async function* read(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
  let failure: unknown;
  let wake = () => {};
  const look = () => wake();
  const fail = (reason: unknown) => {
    failure = reason;
    wake();
  };
  stream.on('readable', look).on('end', look).on('close', look).on('error', fail);
  try {
    for (;;) {
      const chunk: unknown = stream.read();
      if (chunk instanceof Buffer) yield chunk;
      else if (stream.readableEnded) return;
      else if (failure !== undefined || stream.errored) throw failure ?? stream.errored;
      else if (stream.destroyed) throw new Error('the connection was closed before the end of the answer');
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stream.off('readable', look).off('end', look).off('close', look);
    if (!stream.readableEnded) stream.destroy();
  }
}
