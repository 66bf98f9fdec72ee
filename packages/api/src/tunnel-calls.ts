import { Duplex } from 'node:stream';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import { PlinthError } from '@plinth/base';
import {
  type ListPeersResponse,
  type OpenTunnelRequestSchema,
  type OpenTunnelResponse,
  TunnelService,
} from './gen/plinth/node/v1/tunnel_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import type { Fail } from './stream-calls.ts';
import { CHUNK_LIMIT_BYTES } from './transfer.ts';

/** One node as the way to the others of its cluster. */
export interface TunnelCalls {
  /** The members of the node's cluster. */
  peers(): Promise<ListPeersResponse>;
  /**
   * Opens a connection to the API of a peer through this node. What it gives is bytes of an unproven other side: TLS goes
   * over it. It holds a place on the node in between until it is destroyed or both sides have ended.
   * @param timeoutMs bound on the opening; the connection itself has none
   */
  open(nodeName: string, timeoutMs: number): Promise<Duplex>;
}

/** tunnelCalls are the calls of TunnelService over a transport. */
export function tunnelCalls(transport: Transport, answer: Answer, fail: Fail): TunnelCalls {
  const client = createClient(TunnelService, transport);
  return {
    peers: () => answer('ListPeers', client.listPeers({})),
    async open(nodeName, timeoutMs) {
      const hangUp = new AbortController();
      const outgoing = openQueue();
      let late: PlinthError | undefined;
      const timer = setTimeout(() => {
        late = tooLate(nodeName, timeoutMs);
        hangUp.abort(late);
      }, timeoutMs);
      try {
        const messages = client.openTunnel(requests(nodeName, outgoing), {
          signal: hangUp.signal,
          // The connection lives as long as its user wants.
          timeoutMs: 0,
        });
        const incoming = messages[Symbol.asyncIterator]();
        const { done } = await incoming.next();
        if (done) throw new Error('the tunnel ended before it stood');
        return new TunnelStream({ incoming, outgoing, hangUp, fail });
      } catch (reason) {
        hangUp.abort();
        throw late ?? fail(reason, 'OpenTunnel');
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function tooLate(nodeName: string, timeoutMs: number): PlinthError {
  return new PlinthError(
    'api/timeout',
    `Cannot reach node ${nodeName} through another: no tunnel after ${timeoutMs} ms`,
    { retryable: true },
  );
}

async function* requests(
  nodeName: string,
  outgoing: Queue,
): AsyncGenerator<MessageInitShape<typeof OpenTunnelRequestSchema>> {
  yield { nodeName };
  for await (const bytes of outgoing.pieces()) {
    for (let at = 0; at < bytes.length; at += CHUNK_LIMIT_BYTES)
      yield { chunk: bytes.subarray(at, at + CHUNK_LIMIT_BYTES) };
  }
}

/** Hands one piece at a time from a writer to a reader; the writer waits until it was taken. */
interface Queue {
  put(bytes: Uint8Array, taken: () => void): void;
  end(): void;
  pieces(): AsyncGenerator<Uint8Array>;
}

function openQueue(): Queue {
  let waiting: { readonly bytes: Uint8Array; readonly taken: () => void } | undefined;
  let ended = false;
  let wake = () => {};
  return {
    put(bytes, taken) {
      waiting = { bytes, taken };
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *pieces() {
      for (;;) {
        const next = waiting;
        if (next) {
          waiting = undefined;
          yield next.bytes;
          // Asked for the next one, the transport has written this one: that is the backpressure of the whole way.
          next.taken();
        } else if (ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}

interface TunnelParts {
  readonly incoming: AsyncIterator<OpenTunnelResponse>;
  readonly outgoing: Queue;
  readonly hangUp: AbortController;
  readonly fail: Fail;
}

/** TunnelStream is the bytes of a tunnel as a stream, with backpressure both ways. */
class TunnelStream extends Duplex {
  readonly #parts: TunnelParts;

  constructor(parts: TunnelParts) {
    super({ allowHalfOpen: true });
    this.#parts = parts;
  }

  override _read(): void {
    this.#next().catch((reason: unknown) => this.destroy(this.#parts.fail(reason, 'OpenTunnel')));
  }

  async #next(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#parts.incoming.next();
      if (done) {
        this.push(null);
        return;
      }
      if (value.chunk.length > 0) {
        this.push(value.chunk);
        return;
      }
    }
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#parts.outgoing.put(chunk, done);
  }

  override _final(done: () => void): void {
    this.#parts.outgoing.end();
    done();
  }

  override _destroy(reason: Error | null, done: (reason: Error | null) => void): void {
    this.#parts.outgoing.end();
    this.#parts.hangUp.abort();
    done(reason);
  }
}
