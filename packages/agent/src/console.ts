import { constants, open } from 'node:fs/promises';

/** Where people and machines watch a node boot. */
export interface NodeConsole {
  /** Writes "plinth: " and one line. Never throws and never waits. */
  say(line: string): void;
}

/** Lines that may wait for a console which takes none; a serial line that is held must not fill our memory. */
const WAITING_LIMIT = 200;

/** deviceConsole writes to a terminal device, one line after the other. */
export function deviceConsole(path: string): NodeConsole {
  let last = Promise.resolve();
  let waiting = 0;
  return {
    say(line) {
      if (waiting >= WAITING_LIMIT) return;
      waiting++;
      last = last.then(() => writeLine(path, `plinth: ${printable(line)}\r\n`)).finally(() => waiting--);
    },
  };
}

/** A console that is away is no reason to stop: the journal and the API carry the same facts. */
async function writeLine(path: string, line: string): Promise<void> {
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOCTTY);
    await file.write(line);
    await file.close();
  } catch {
    // tolerated: see above
  }
}

/** printable takes control characters out: texts from a config must not command a person's terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 500);
}
