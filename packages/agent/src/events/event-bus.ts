/** What an event is about. */
export type EventTopic = 'unit' | 'act' | 'health' | 'config' | 'node';

/** Something that happened; see Event in logs.proto. */
export interface NodeEvent {
  /** Grows by one with each event of this process. */
  readonly sequence: number;
  readonly timeMs: number;
  readonly topic: EventTopic;
  readonly subject: string;
  /** The new state in one word. */
  readonly state: string;
  readonly text: string;
}

/** An event as a reader gets it. */
export interface Delivery {
  readonly event: NodeEvent;
  /** How many events before it this reader lost. */
  readonly missed: number;
}

export type NewEvent = Pick<NodeEvent, 'topic' | 'subject' | 'state'> & { readonly text?: string };

/** EventBus carries events from the parts of plinthd to whoever watches. */
export interface EventBus {
  /** Never waits and never fails; texts are cut. */
  publish(event: NewEvent): void;
  /**
   * Gives remembered events with a greater sequence than `after` (without it none), then new ones until `signal` aborts.
   * A reader that is too slow loses the oldest it has not read, and the next it gets says how many.
   */
  subscribe(signal: AbortSignal, after?: number): AsyncIterable<Delivery>;
  /** Tells when the first reader comes and the last one goes, for sources that cost something. */
  onWatched(listener: (watched: boolean) => void): void;
}

/** How many events are remembered, and how many a reader may be behind: at most a megabyte of memory either way. */
const REMEMBERED = 512;
const TEXT_LIMIT_CHARS = 512;

/** openEventBus is a bus in which nothing has happened. @param remembered how many events it keeps */
export function openEventBus(nowMs: () => number, remembered = REMEMBERED): EventBus {
  // One list serves as memory and as every reader's queue, so many readers cost no more than one.
  const events: NodeEvent[] = [];
  const wake = new Set<() => void>();
  const listeners: ((watched: boolean) => void)[] = [];
  let last = 0;
  let readers = 0;

  const change = (by: 1 | -1) => {
    readers += by;
    if (by === 1 && readers === 1) for (const listener of listeners) listener(true);
    if (by === -1 && readers === 0) for (const listener of listeners) listener(false);
  };

  async function* subscribe(signal: AbortSignal, after?: number): AsyncGenerator<Delivery> {
    // A number of the future is one of an earlier process: its reader wants all there is of this one.
    let read = after === undefined ? last : after > last ? 0 : after;
    change(1);
    try {
      while (!signal.aborted) {
        const oldest = events[0]?.sequence ?? last + 1;
        const missed = Math.max(oldest - read - 1, 0);
        const event = events[Math.max(read + 1 - oldest, 0)];
        if (!event) {
          await new Promise<void>((resolve) => {
            const proceed = () => {
              signal.removeEventListener('abort', proceed);
              wake.delete(proceed);
              resolve();
            };
            wake.add(proceed);
            signal.addEventListener('abort', proceed, { once: true });
          });
          continue;
        }
        read = event.sequence;
        yield { event, missed };
      }
    } finally {
      change(-1);
    }
  }

  return {
    publish({ topic, subject, state, text = '' }) {
      const cut = (value: string) => value.slice(0, TEXT_LIMIT_CHARS).toWellFormed();
      const parts = { subject: cut(subject), state: cut(state), text: cut(text) };
      events.push({ sequence: ++last, timeMs: nowMs(), topic, ...parts });
      if (events.length > remembered) events.shift();
      for (const proceed of [...wake]) proceed();
    },
    subscribe,
    onWatched: (listener) => {
      listeners.push(listener);
    },
  };
}
