import { pause } from '../repeat.ts';
import type { Sys } from '../sys/sys.ts';
import { type EventBus, openEventBus } from './event-bus.ts';
import { unitEvents } from './unit-events.ts';

const RETRY_MS = 5_000;

/**
 * openEvents is the bus of this node. Units are followed only while somebody watches: that takes a journalctl, and the
 * journal remembers them anyway.
 */
export function openEvents(sys: Pick<Sys, 'nowMs' | 'stream'>, signal: AbortSignal): EventBus {
  const bus = openEventBus(sys.nowMs);
  let following: AbortController | undefined;
  bus.onWatched((watched) => {
    following?.abort();
    following = watched ? new AbortController() : undefined;
    if (following) void follow(AbortSignal.any([following.signal, signal]));
  });
  const follow = async (until: AbortSignal) => {
    while (!until.aborted) {
      try {
        for await (const event of unitEvents(sys, until)) bus.publish(event);
      } catch {
        // A journal that cannot be read is told by health and by its own call; the other events go on.
      }
      await pause(RETRY_MS, until, true);
    }
  };
  signal.addEventListener('abort', () => following?.abort(), { once: true });
  bus.publish({ topic: 'node', subject: 'plinthd', state: 'started' });
  return bus;
}
