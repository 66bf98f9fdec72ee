import type { Http2Session } from 'node:http2';
import { createContextKey } from '@connectrpc/connect';

/** The connection a call came over; undefined where there is none (tests without a network). */
export const sessionKey = createContextKey<Http2Session | undefined>(undefined);

/** A client on the same network answers within milliseconds; one far away, over a line that drops packets, in seconds. */
const SILENCE_LIMIT_MS = 10_000;

/**
 * clientReach tells whether the way to a client is cut: its connection is open and it has not answered a ping for ten
 * seconds. A connection that was closed says nothing: the client may have been done.
 */
export function clientReach(
  session: Pick<Http2Session, 'closed' | 'destroyed'> & {
    ping(callback: (failed: Error | null) => void): boolean;
  },
  nowMs: () => number = () => performance.now(),
  limitMs = SILENCE_LIMIT_MS,
): { lost(): Promise<boolean> } {
  let askedMs: number | undefined;
  return {
    async lost() {
      if (session.closed || session.destroyed) return false;
      if (askedMs !== undefined) return nowMs() - askedMs >= limitMs;
      askedMs = nowMs();
      session.ping((failed) => {
        // A ping that could not be sent is no answer; the next look asks again.
        if (failed === null) askedMs = undefined;
      });
      return false;
    },
  };
}
