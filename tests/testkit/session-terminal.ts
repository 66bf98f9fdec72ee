import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeClient, Session } from '@plinth/api';

/** A terminal at a session of a node. */
export interface SessionTerminal {
  type(text: string): void;
  /** Waits until what was shown since the last call matches; gives it. */
  sees(pattern: RegExp): Promise<string>;
  /** Why the session ended; undefined when the terminal was left. */
  readonly ended: Promise<string | undefined>;
  leave(): Promise<void>;
}

const PATIENCE_MS = 120_000;
const POLL_MS = 100;

/** openTerminal attaches to a session. */
export function openTerminal(client: NodeClient, session: Session): SessionTerminal {
  const typed: Buffer[] = [];
  let wake = () => {};
  let over = false;
  let shown = '';
  const input = async function* () {
    while (!over) {
      const next = typed.shift();
      if (next) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };
  const output = client.session.attach(session, { columns: 120, rows: 40 }, input());
  const ended = (async () => {
    for await (const piece of output) {
      shown += Buffer.from(piece.output).toString('utf8');
      if (piece.endedBecause !== '') return piece.endedBecause;
    }
    return undefined;
  })();
  ended.catch(() => {});
  return {
    ended,
    type(text) {
      typed.push(Buffer.from(text));
      wake();
    },
    async sees(pattern) {
      const deadline = performance.now() + PATIENCE_MS;
      while (!pattern.test(shown)) {
        assert.ok(performance.now() < deadline, `${pattern} was not shown, but: ${JSON.stringify(shown)}`);
        await sleep(POLL_MS);
      }
      const seen = shown;
      shown = '';
      return seen;
    },
    async leave() {
      over = true;
      wake();
      await output.return(undefined);
    },
  };
}
