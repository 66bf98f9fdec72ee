import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PlinthError } from '@plinth/base';
import type { OperationsSession } from '@plinth/config';
import type { NodeConsole } from '../console.ts';
import { inTurn } from '../in-turn.ts';
import { pause, repeat } from '../repeat.ts';
import type { StateStore } from '../sys/state-store.ts';
import { containerId, type LiveParts, type LiveSession, OWNER, startLive } from './live-session.ts';
import { openRecorder, RECORDING_LIMIT_BYTES, type Recorder, recordingOf } from './recorder.ts';
import {
  MOST_KEPT,
  planSession,
  type SessionAsk,
  type SessionPlan,
  type SessionRecord,
  sessionsSchema,
} from './session-state.ts';
import { type MakePipes, openPipes, type TerminalPipes } from './terminal-pipes.ts';

const STORED = 'sessions.json';
const RECORDING = 'recording.cast';
const TICK_MS = 1_000;
const LAST_WORDS_MS = 2_000;
const SWEEP = { everyMs: 2_000, atMostMs: 30_000 };

export interface SessionParts extends LiveParts {
  readonly store: StateStore;
  readonly console: NodeConsole;
  /** Where recordings and pipes lie; a folder of plinthd's own. */
  readonly folder: string;
  readonly makePipes: MakePipes;
  /** What the config of now allows; it is looked at again and again. */
  readonly allowed: () => OperationsSession | undefined;
  /** Writes into the audit log; fulfilled when it is durable. */
  readonly audit: (record: object) => Promise<void>;
  /** Room where the recordings lie. */
  readonly availableBytes: () => Promise<number>;
  readonly nowMs: () => number;
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
  /** @throws session/not-allowed, session/request-invalid, session/busy, session/failed, containers/… */
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
  const { store, console, folder, own, nowMs, signal, tickMs = TICK_MS } = parts;
  let records = await readRecords(store, console);
  let current: (OpenSession & { readonly finish: (because: string) => Promise<void> }) | undefined;
  let starting = false;
  let swept = false;
  const writing = inTurn();

  const save = (next: readonly SessionRecord[]) =>
    writing(async () => {
      records = next;
      await store.write(STORED, Buffer.from(JSON.stringify({ version: 1, sessions: next })));
    });
  const update = (record: SessionRecord) =>
    save(records.map((each) => (each.id === record.id ? record : each)));
  const at = (id: string, name = '') => join(folder, id, name);

  /** Writes down that a session has ended. */
  async function close(record: SessionRecord, endedBecause: string, durationMs: number): Promise<void> {
    const { sizeBytes: recordingBytes, sha256: recordingSha256 } = await recordingOf(
      at(record.id, RECORDING),
    );
    for (const pipe of ['stdin', 'stdout']) await rm(at(record.id, pipe), { force: true });
    await update({ ...record, endedBecause, durationMs, recordingBytes, recordingSha256 });
    console.say(`session: ${record.id} has ended: ${endedBecause}`);
    const { id, level, openedBy, reason } = record;
    await parts.audit({
      ...{
        time: new Date(nowMs()).toISOString(),
        event: 'session.ended',
        session: id,
        level,
        caller: openedBy,
      },
      ...{ reason, because: endedBecause, durationMs, recordingBytes, recordingSha256 },
    });
  }

  /** What ran when an earlier plinthd ended is ended now: nobody has recorded it since. */
  async function sweep(): Promise<void> {
    for (const id of await own.list(OWNER)) await own.remove(id);
    for (const record of records.filter(({ endedBecause }) => endedBecause === ''))
      await close(record, 'plinthd or the node restarted', Math.max(nowMs() - record.startedAtMs, 0));
    swept = true;
  }

  async function makeRoom(): Promise<void> {
    const going = records.slice(MOST_KEPT - 1);
    for (const { id } of going) await rm(at(id), { recursive: true, force: true });
    if (going.length > 0) await save(records.slice(0, MOST_KEPT - 1));
  }

  async function begin(plan: SessionPlan): Promise<SessionRecord> {
    const id = randomBytes(4).toString('hex');
    const { level, reason, openedBy, image, ttlMs } = plan;
    const record: SessionRecord = {
      ...{ id, level, reason, openedBy, image, ttlMs, startedAtMs: nowMs(), durationMs: 0 },
      ...{ endedBecause: '', recordingBytes: 0, recordingSha256: '' },
    };
    if (!(await parts.cri.image(image))) await parts.cri.pull(image);
    await makeRoom();
    await mkdir(at(id), { recursive: true, mode: 0o700 });
    // From here on there is something to end, whatever happens.
    await save([record, ...records]);
    await parts.audit({
      ...{ time: new Date(nowMs()).toISOString(), event: 'session.started', session: id, level },
      ...{ caller: openedBy, reason, image, ttlMs },
    });
    const startedMs = performance.now();
    let pipes: TerminalPipes | undefined;
    let recorder: Recorder | undefined;
    try {
      await parts.makePipes(at(id));
      pipes = await openPipes(at(id));
      const recording = await openRecorder(
        at(id, RECORDING),
        { terminal: plan.terminal, title: `${level}: ${reason}`, startedAtMs: record.startedAtMs },
        parts.recordingLimitBytes ?? RECORDING_LIMIT_BYTES,
      );
      recorder = recording;
      const live = await startLive(parts, { id, plan }, pipes, recording);
      const config = parts.allowed();
      let finish = (_because: string): void => {};
      const asked = new Promise<string>((resolve) => {
        finish = resolve;
      });
      const watch = new AbortController();
      const because = Promise.race([
        live.over,
        asked,
        timeUp(ttlMs, watch.signal),
        disallowed(config, watch.signal),
      ]);
      const ended = because.then(async (why) => {
        watch.abort();
        // Whoever looks may see the last words, if he takes them soon.
        const discard = setTimeout(live.discard, LAST_WORDS_MS);
        await own.remove(containerId(id)).catch((failure: unknown) => {
          swept = false; // tried again below, and nothing else starts before
          console.say(`session: ${id} cannot be ended: ${failure}`);
          startSweeping();
        });
        clearTimeout(discard);
        pipes?.close();
        await recording.close().catch(() => undefined);
        await close(record, why, Math.round(performance.now() - startedMs)).catch((failure: unknown) =>
          console.say(`session: the end of ${id} cannot be stored: ${failure}`),
        );
        current = undefined;
        return why;
      });
      current = {
        ...{ record, live, ended },
        async finish(why) {
          finish(why);
          await ended;
        },
      };
      console.say(`session: ${id} of level ${level} is open for ${openedBy}: ${reason}`);
      return record;
    } catch (failure) {
      pipes?.close();
      await recorder?.close().catch(() => undefined);
      const { message } = PlinthError.from(failure, 'session/failed', 'Cannot open a session');
      await close(record, `it could not be started: ${message}`, 0);
      throw PlinthError.from(failure, 'session/failed', 'Cannot open a session');
    }
  }

  async function timeUp(ttlMs: number, watching: AbortSignal): Promise<string> {
    await pause(ttlMs, AbortSignal.any([watching, signal]));
    return signal.aborted ? 'plinthd ended' : 'its time was up';
  }

  async function disallowed(before: OperationsSession | undefined, watching: AbortSignal): Promise<string> {
    while (!watching.aborted && isDeepStrictEqual(parts.allowed(), before)) await pause(tickMs, watching);
    return 'the machine config allows it no longer';
  }

  const sweeping = new AbortController();
  function startSweeping(): void {
    void repeat(
      async () => {
        if (!swept) await sweep();
      },
      {
        ...SWEEP,
        signal: AbortSignal.any([signal, sweeping.signal]),
        onFailure: (reason) => {
          if (reason !== undefined) console.say(`session: what was open cannot be ended yet: ${reason}`);
        },
      },
    );
  }
  // A node that never had a session has nothing to ask the runtime for.
  if (records.some(({ endedBecause }) => endedBecause === '')) startSweeping();
  else swept = true;

  const closed = new Promise<void>((resolve) => {
    const end = async () => {
      await current?.ended;
      resolve();
    };
    if (signal.aborted) void end();
    else signal.addEventListener('abort', () => void end(), { once: true });
  });

  const known = (id: string): SessionRecord => {
    const record = records.find((each) => each.id === id);
    if (!record)
      throw new PlinthError('session/missing', 'Cannot find the session: the node knows none of that id');
    return record;
  };
  const open = (id: string) => {
    const { endedBecause } = known(id);
    if (current?.record.id === id) return current;
    throw new PlinthError(
      'session/ended',
      `Cannot use the session: ${endedBecause === '' ? 'it is being ended' : endedBecause}, expected one that is open`,
    );
  };
  return {
    list: () =>
      records.map((record) => ({
        ...record,
        attached: current?.record.id === record.id && current.live.screen.attached,
      })),
    async start(ask) {
      const plan = planSession(ask, parts.allowed());
      if (starting || current || !swept)
        throw new PlinthError(
          'session/busy',
          `Cannot open a session: ${current ? `${current.record.openedBy} has one open (${current.record.id})` : 'another one begins or ends'}, expected one at a time`,
          { retryable: true },
        );
      starting = true;
      try {
        const needed = 2 * (parts.recordingLimitBytes ?? RECORDING_LIMIT_BYTES);
        if ((await parts.availableBytes()) < needed)
          throw new PlinthError(
            'session/failed',
            `Cannot open a session: there is no room for its recording, expected ${needed} bytes on /var`,
          );
        return await begin(plan);
      } finally {
        starting = false;
      }
    },
    open,
    async end(id, because) {
      await open(id).finish(because);
      return known(id);
    },
    recordingPath: (id) => at(known(id).id, RECORDING),
    closed,
  };
}

async function readRecords(store: StateStore, console: NodeConsole): Promise<readonly SessionRecord[]> {
  const bytes = await store.read(STORED);
  if (bytes === undefined) return [];
  try {
    return sessionsSchema.parse(JSON.parse(bytes.toString('utf8'))).sessions;
  } catch {
    await store.setAside(STORED);
    console.say('session: the list of sessions cannot be read and was put aside');
    return [];
  }
}
