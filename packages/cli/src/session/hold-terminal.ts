import type { NodeClient, Session, TerminalInput } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { Terminal } from '../framework/terminal.ts';

/** Ctrl-], as telnet has it: no program of a shell needs it. */
export const LEAVE_KEY = '\u001d';
/** What a person cannot have typed yet; a paste may be long. */
const WAITING_LIMIT_BYTES = 1024 * 1024;

/**
 * holdTerminal gives the terminal to a session until it ends or the person leaves it.
 * @returns why the session ended; undefined when it was left
 * @throws session/…, api/…
 */
export async function holdTerminal(
  node: Pick<NodeClient, 'session'>,
  session: Pick<Session, 'id' | 'level'>,
  terminal: Terminal,
  context: Pick<CommandContext, 'signal' | 'writeOut'>,
): Promise<string | undefined> {
  const input = keyboard();
  const output = node.session.attach(session, terminal.size(), input.read());
  // Refusals are told before the terminal is another.
  const first = await output.next();
  if (first.done) return undefined;
  const held = terminal.takeOver({ enter: '', leave: '\r\n' });
  let left = false;
  const leave = () => {
    left = true;
    input.end();
  };
  held.onKeys((text) => {
    const at = text.indexOf(LEAVE_KEY);
    input.put(Buffer.from(at < 0 ? text : text.slice(0, at)));
    if (at >= 0) leave();
  });
  held.onResize(() => input.put(terminal.size()));
  context.signal.addEventListener('abort', leave, { once: true });
  try {
    const gone = input.ended.then(() => undefined);
    for (;;) {
      const next = await Promise.race([output.next(), gone]);
      if (next === undefined || next.done) return undefined;
      if (next.value.output.length > 0) context.writeOut(next.value.output);
      if (next.value.endedBecause !== '') return next.value.endedBecause;
    }
  } catch (reason) {
    if (left) return undefined;
    throw reason;
  } finally {
    context.signal.removeEventListener('abort', leave);
    input.end();
    held.end();
    // Hanging up does not wait for an answer that will not come.
    void output.return(undefined).catch(() => {});
  }
}

interface Keyboard {
  put(input: TerminalInput): void;
  read(): AsyncGenerator<TerminalInput>;
  end(): void;
  /** Resolves when nothing more is typed. */
  readonly ended: Promise<void>;
}

/** What was typed and not yet sent. */
function keyboard(): Keyboard {
  const waiting: TerminalInput[] = [];
  let waitingBytes = 0;
  let over = false;
  let wake = () => {};
  let tellEnd = () => {};
  const ended = new Promise<void>((resolve) => {
    tellEnd = resolve;
  });
  return {
    ended,
    put(input) {
      const size = input instanceof Uint8Array ? input.length : 1;
      if (size === 0 || waitingBytes + size > WAITING_LIMIT_BYTES) return;
      waitingBytes += size;
      waiting.push(input);
      wake();
    },
    async *read() {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) {
          waitingBytes -= next instanceof Uint8Array ? next.length : 1;
          yield next;
        } else if (over) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    end() {
      over = true;
      wake();
      tellEnd();
    },
  };
}
