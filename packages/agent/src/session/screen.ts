/** What is attached to a session: takes what is shown, one piece at a time. */
export interface Viewer {
  /** Fulfilled when it wants more. */
  show(bytes: Uint8Array): Promise<void>;
}

const KEPT_BYTES = 8 * 1024;

/**
 * Screen passes on what a session shows to whoever is attached, at that one's pace, and keeps the end of it for whoever comes
 * next: a shell says what it waits for before anybody can look.
 */
export class Screen {
  #end: Buffer = Buffer.alloc(0);
  #viewer: Viewer | undefined;
  #close = () => {};
  readonly #closed = new Promise<void>((resolve) => {
    this.#close = resolve;
  });

  get attached(): boolean {
    return this.#viewer !== undefined;
  }

  async show(bytes: Buffer): Promise<void> {
    this.#end = Buffer.concat([this.#end, bytes]).subarray(-KEPT_BYTES);
    // A reader who takes nothing must not hold the end of a session.
    if (this.#viewer) await Promise.race([this.#viewer.show(bytes), this.#closed]);
  }

  /** Waits for no viewer any more. */
  close(): void {
    this.#close();
  }

  /** @returns what was shown last */
  attach(viewer: Viewer): Buffer {
    this.#viewer = viewer;
    return this.#end;
  }

  detach(viewer: Viewer): void {
    if (this.#viewer === viewer) this.#viewer = undefined;
  }
}

/** One piece at a time from a writer to a reader; the writer waits until it was taken. */
export interface Handover extends Viewer {
  /** The pieces, until it is ended. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** Lets the writer go on and the reader end. */
  end(): void;
}

/** handover is an empty one. */
export function handover(): Handover {
  let waiting: { readonly bytes: Uint8Array; readonly taken: () => void } | undefined;
  let ended = false;
  let wake = () => {};
  return {
    show: (bytes) =>
      new Promise((resolve) => {
        if (ended) return resolve();
        waiting = { bytes, taken: resolve };
        wake();
      }),
    async *pieces() {
      while (!ended || waiting) {
        const next = waiting;
        waiting = undefined;
        if (next) {
          try {
            yield next.bytes;
          } finally {
            // Also when the reader leaves with it in his hand: nobody else lets the writer go on.
            next.taken();
          }
        } else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    end() {
      ended = true;
      waiting?.taken();
      wake();
    },
  };
}
