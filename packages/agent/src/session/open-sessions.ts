import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, PlinthError } from '@plinth/base';
import type { OperationsSession } from '@plinth/config';
import { type ContainerPipes, type MakePipes, openPipes } from '../containers/own/pipes.ts';
import type { SignatureSource } from '../containers/signatures/fetch-signatures.ts';
import { pause, repeat } from '../repeat.ts';
import { demandSignature } from './demand-signature.ts';
import { containerId, type LiveParts, type LiveSession, OWNER, startLive } from './live-session.ts';
import { openRecorder, RECORDING_LIMIT_BYTES, type Recorder } from './recorder.ts';
import { type BookParts, openBook } from './session-book.ts';
import { planSession, type SessionAsk, type SessionPlan, type SessionRecord } from './session-state.ts';

const TICK_MS = 1_000;
const LAST_WORDS_MS = 2_000;
const SWEEP = { everyMs: 2_000, atMostMs: 30_000 };

export interface SessionParts extends LiveParts, BookParts {
  readonly makePipes: MakePipes;
  readonly signatures: Pick<SignatureSource, 'of'>;
  /** What the config of now allows; it is looked at again and again. */
  readonly allowed: () => OperationsSession | undefined;
  /** Room where the recordings lie. */
  readonly availableBytes: () => Promise<number>;
  /** The end of plinthd. */
  readonly signal: AbortSignal;
  readonly tickMs?: number;
  readonly recordingLimitBytes?: number;
}

/** The session that is open now. */
export interface OpenSession {
  readonly record: SessionRecord;
  readonly live: LiveSession;
  /** Fulfilled with the reason once it has ended. */
  readonly ended: Promise<string>;
}

/** The sessions of a node, one at a time. */
export interface Sessions {
  /** Newest first. */
  list(): readonly (SessionRecord & { readonly attached: boolean })[];
  /** @throws session/not-allowed, session/request-invalid, session/busy, session/image-unsigned, session/failed, containers/… */
  start(ask: SessionAsk): Promise<SessionRecord>;
  /** The open session of that id. @throws session/missing, session/ended */
  open(id: string): OpenSession;
  /** @throws session/missing, session/ended */
  end(id: string, because: string): Promise<SessionRecord>;
  /** Path of a recording. @throws session/missing */
  recordingPath(id: string): string;
  /** Resolves when none is open after the end of plinthd. */
  readonly closed: Promise<void>;
}

/** openSessions ends what an earlier plinthd left open, then opens sessions as they are asked for. */
export async function openSessions(parts: SessionParts): Promise<Sessions> {
  const { console, own, nowMs, signal, recordingLimitBytes = RECORDING_LIMIT_BYTES } = parts;
  const book = await openBook(parts);
  let current: (OpenSession & { readonly finish: (because: string) => Promise<void> }) | undefined;
  let starting = false;
  /** Whether nothing runs that this plinthd has not started, or could not end. */
  let swept = !book.records().some(isOpen);

  /** What ran when an earlier plinthd ended is ended now: nobody has recorded it since. */
  async function sweep(): Promise<void> {
    for (const id of await own.list(OWNER)) await own.remove(id);
    for (const record of book.records().filter(isOpen))
      await book.close(record, 'plinthd or the node restarted', Math.max(nowMs() - record.startedAtMs, 0));
    swept = true;
  }

  async function begin(plan: SessionPlan, config: OperationsSession | undefined): Promise<SessionRecord> {
    const { level, reason, openedBy, image, ttlMs } = plan;
    // First: what nobody has signed does not even come onto the disk.
    if (config?.signedBy) await demandSignature(parts.signatures, image, config.signedBy);
    if (!(await parts.cri.image(image))) await parts.cri.pull(image);
    const id = randomBytes(4).toString('hex');
    const record: SessionRecord = {
      ...{ id, level, reason, openedBy, image, ttlMs, startedAtMs: nowMs(), durationMs: 0 },
      ...{ endedBecause: '', recordingBytes: 0, recordingSha256: '' },
    };
    // From here on there is something to end, whatever happens.
    await book.open(record);
    const startedMs = performance.now();
    let pipes: ContainerPipes | undefined;
    let recorder: Recorder | undefined;
    const close = async (why: string) => {
      pipes?.close();
      await recorder?.close();
      await book.close(record, why, Math.round(performance.now() - startedMs));
    };
    try {
      await parts.makePipes(book.folderOf(id));
      pipes = await openPipes(book.folderOf(id));
      recorder = await openRecorder(
        book.recordingOf(id),
        { terminal: plan.terminal, title: `${level}: ${reason}`, startedAtMs: record.startedAtMs },
        recordingLimitBytes,
      );
      const live = await startLive(parts, { id, plan }, pipes, recorder);
      current = follow(record, live, config, close);
      console.say(`session: ${id} of level ${level} is open for ${openedBy}: ${reason}`);
      return record;
    } catch (failure) {
      const { message } = PlinthError.from(failure, 'session/failed', 'Cannot open a session');
      await close(`it could not be started: ${message}`);
      throw failure;
    }
  }

  /** Waits for whatever ends it, and ends it. */
  function follow(
    record: SessionRecord,
    live: LiveSession,
    config: OperationsSession | undefined,
    close: (why: string) => Promise<void>,
  ): NonNullable<typeof current> {
    const { id, ttlMs } = record;
    const watch = new AbortController();
    let finish = (_because: string): void => {};
    const asked = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const causes = [live.over, asked, timeUp(ttlMs, watch.signal), disallowed(config, watch.signal)];
    const ended = Promise.race(causes).then(async (why) => {
      watch.abort();
      // Whoever looks may see the last words, if he takes them soon.
      const discard = setTimeout(live.discard, LAST_WORDS_MS);
      await own.remove(containerId(id)).catch((failure: unknown) => {
        swept = false; // tried again, and nothing else starts before
        console.say(`session: ${id} cannot be ended: ${messageOf(failure)}`);
        startSweeping();
      });
      clearTimeout(discard);
      live.leave();
      await close(why).catch((failure: unknown) =>
        console.say(`session: the end of ${id} cannot be stored: ${messageOf(failure)}`),
      );
      current = undefined;
      return why;
    });
    return {
      ...{ record, live, ended },
      async finish(why) {
        finish(why);
        await ended;
      },
    };
  }

  async function timeUp(ttlMs: number, watching: AbortSignal): Promise<string> {
    await pause(ttlMs, AbortSignal.any([watching, signal]));
    return signal.aborted ? 'plinthd ended' : 'its time was up';
  }

  async function disallowed(before: OperationsSession | undefined, watching: AbortSignal): Promise<string> {
    while (!watching.aborted && isDeepStrictEqual(parts.allowed(), before))
      await pause(parts.tickMs ?? TICK_MS, watching);
    return 'the machine config allows it no longer';
  }

  function startSweeping(): void {
    const done = new AbortController();
    void repeat(
      async () => {
        await sweep();
        done.abort();
      },
      {
        ...SWEEP,
        signal: AbortSignal.any([signal, done.signal]),
        onFailure: (reason) => {
          if (reason !== undefined)
            console.say(`session: what was open cannot be ended yet: ${messageOf(reason)}`);
        },
      },
    );
  }
  // A node that had no session open has nothing to ask the runtime for.
  if (!swept) startSweeping();

  const closed = new Promise<void>((resolve) => {
    const end = () => void (current?.ended ?? Promise.resolve()).then(() => resolve());
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

  const open = (id: string) => {
    const { endedBecause } = book.find(id);
    if (current?.record.id === id) return current;
    throw new PlinthError(
      'session/ended',
      `Cannot use the session: ${endedBecause || 'it begins or ends'}, expected one that is open`,
    );
  };
  return {
    list: () =>
      book.records().map((record) => ({
        ...record,
        attached: current?.record.id === record.id && current.live.screen.attached,
      })),
    async start(ask) {
      const config = parts.allowed();
      const plan = planSession(ask, config);
      if (starting || current || !swept) throw busy(current?.record);
      starting = true;
      try {
        const available = await parts.availableBytes();
        if (available < 2 * recordingLimitBytes) throw noRoom(available, 2 * recordingLimitBytes);
        return await begin(plan, config);
      } catch (reason) {
        throw PlinthError.from(reason, 'session/failed', 'Cannot open a session');
      } finally {
        starting = false;
      }
    },
    open,
    async end(id, because) {
      await open(id).finish(because);
      return book.find(id);
    },
    recordingPath: (id) => book.recordingOf(book.find(id).id),
    closed,
  };
}

function isOpen({ endedBecause }: SessionRecord): boolean {
  return endedBecause === '';
}

function busy(open: SessionRecord | undefined): PlinthError {
  const state = open ? `${open.openedBy} has one open (${open.id})` : 'another one begins or ends';
  return new PlinthError('session/busy', `Cannot open a session: ${state}, expected one at a time`, {
    retryable: true,
  });
}

function noRoom(availableBytes: number, neededBytes: number): PlinthError {
  return new PlinthError(
    'session/failed',
    `Cannot open a session: ${availableBytes} bytes are left for its recording, expected ${neededBytes}`,
  );
}
