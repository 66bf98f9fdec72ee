import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@plinth/base';
import type { LogShipping } from '@plinth/config';
import { type CheckSpec, fail, pass, unknown } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { pause } from '../repeat.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { type Position, shipJournal } from './ship-journal.ts';

const STORED = 'log-shipping';
const POSITION = /^[0-9]{7,20}$/;
/** The clock is read a moment after the entry was written, and is moved a little all the time. */
const SKEW_MS = 2_000;

export interface LogShippingParts {
  readonly sys: Pick<Sys, 'stream' | 'nowMs'>;
  readonly store: Pick<StateStore, 'read' | 'write'>;
  readonly console: NodeConsole;
  readonly hostName: string;
  /** The config of now; it is looked at again and again. */
  readonly target: () => LogShipping | undefined;
  readonly signal: AbortSignal;
  /** Between two looks at the config, and the least pause after a failure; default 2 s. */
  readonly tickMs?: number;
  /** The longest pause after failures; default 1 min. */
  readonly retryMs?: number;
  /** How often the position is stored; default 10 s. A restart sends what came after it again. */
  readonly storeMs?: number;
}

/** The journal on its way to a server. */
export interface RunningLogShipping {
  readonly check: CheckSpec;
  /** Ends with the signal. */
  readonly ended: Promise<void>;
}

/** openLogShipping sends the journal to the server of the config, if there is one, until the signal aborts. */
export function openLogShipping(parts: LogShippingParts): RunningLogShipping {
  const { sys, store, console, hostName, signal, tickMs = 2000, retryMs = 60_000, storeMs = 10_000 } = parts;
  let shipped = 0;
  let connected = false;
  let problem: string | undefined;
  let position: Position | undefined;
  let stored: Position | undefined;

  const keep = async () => {
    if (position === undefined || position === stored) return;
    await store.write(STORED, Buffer.from(position)).then(
      () => {
        stored = position;
      },
      // What is on the disk is older: more is sent again after a restart, nothing is lost.
      () => {},
    );
  };

  /** After a clock was set back, entries of now lie before those that were sent: the whole boot is sent again. */
  const from = () =>
    position !== undefined && Number(position) / 1000 <= sys.nowMs() + SKEW_MS ? position : undefined;

  /** One connection; ends when it breaks, when the config is another, or with the signal. */
  async function round(target: LogShipping): Promise<void> {
    const changed = new AbortController();
    const either = AbortSignal.any([signal, changed.signal]);
    const watch = (async () => {
      let sinceMs = 0;
      while (!either.aborted) {
        await pause(tickMs, either);
        sinceMs += tickMs;
        if (!isDeepStrictEqual(parts.target(), target)) changed.abort();
        if (sinceMs < storeMs) continue;
        sinceMs = 0;
        await keep();
      }
    })();
    try {
      await shipJournal({
        ...{ sys, target, hostName, signal: either, from: from() },
        onConnected() {
          if (problem !== undefined) console.say(`logs: ${target.server} is reached again`);
          [connected, problem] = [true, undefined];
        },
        onShipped(at, entries) {
          position = at;
          shipped += entries;
        },
      });
    } finally {
      connected = false;
      changed.abort();
      await watch;
      await keep();
    }
  }

  async function run(): Promise<void> {
    const found = (await store.read(STORED).catch(() => undefined))?.toString('latin1');
    if (found !== undefined && POSITION.test(found)) [position, stored] = [found, found];
    let waitMs = tickMs;
    while (!signal.aborted) {
      const target = parts.target();
      if (target) {
        const before = shipped;
        await round(target).catch((reason: unknown) => {
          if (signal.aborted) return;
          const said = messageOf(reason);
          if (problem === undefined) console.say(`logs: cannot be sent to ${target.server}: ${said}`);
          problem = said;
        });
        waitMs = problem === undefined || shipped > before ? tickMs : Math.min(waitMs * 2, retryMs);
      } else problem = undefined;
      await pause(target ? waitMs : tickMs, signal);
    }
  }

  return {
    ended: run(),
    check: {
      id: 'log-shipping',
      expected: 'a connection to the server for logs',
      source: 'the machine config, document LogShipping',
      cause: 'the server is down, is not reached from here, or shows a certificate of another authority.',
      fix: 'Look at the server and its certificate; entries wait in the journal meanwhile.',
      async observe() {
        const target = parts.target();
        if (!target) return pass('not asked for');
        const at = `${target.server}:${target.port}`;
        if (connected) return pass(`${shipped} entries sent to ${at} since plinthd started`);
        return problem === undefined ? unknown(`no connection to ${at} yet`) : fail(`${at}: ${problem}`);
      },
    },
  };
}
