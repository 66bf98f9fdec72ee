import { z } from 'zod';
import { JOURNALCTL } from '../kubernetes/units/run-unit.ts';
import type { Sys } from '../sys/sys.ts';
import type { NewEvent } from './event-bus.ts';

/** What the service manager writes of its units, by the ids of its messages (systemd's sd-messages.h). */
const STATES: Readonly<Record<string, string>> = {
  '7d4958e842da4a758f6c1cdc7b36dcc5': 'starting',
  '39f53479d3a045ac8e11786248231fbf': 'started',
  de5b426a63be47a7b6ac3eaac82e2f6f: 'stopping',
  '9d1aaa27d60140bd96365438aad20286': 'stopped',
  be02cf6855d2428ba40df7e9d022f03d: 'start-failed',
  d34d037fff1847e6ae669a370e694725: 'reloading',
  '7b05ebc668384222baa8881179cfda54': 'reloaded',
  '98e322203f7a4ed290d09fe03c09fe15': 'exited',
  d9b373ed55a64feb8242e02dbe79a49c: 'failed',
  '5eb03494b6584870a536b337290809b2': 'restart-scheduled',
  fe6faa94e7774663a0da52717891d8ef: 'out-of-memory',
};

const FIELDS = ['MESSAGE', 'MESSAGE_ID', 'UNIT'];
const LINE_LIMIT_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

const entry = z.object({ MESSAGE: z.string(), MESSAGE_ID: z.string(), UNIT: z.string() });

/**
 * unitEvents tells changes of units from now on, as the service manager writes them into the journal.
 * @throws ProgramFailure and system errors of journalctl
 */
export async function* unitEvents(sys: Pick<Sys, 'stream'>, signal: AbortSignal): AsyncGenerator<NewEvent> {
  const args = ['--quiet', '--no-pager', '--output=json', `--output-fields=${FIELDS.join(',')}`];
  const output = sys.stream(JOURNALCTL, [...args, '--follow', '--lines=0', '_PID=1'], signal);
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of output) {
    let bytes = Buffer.concat([rest, piece]);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      const event = unitEvent(bytes.toString('utf8', 0, end));
      if (event) yield event;
      bytes = bytes.subarray(end + 1);
    }
    // A line without an end is none of the service manager's.
    rest = bytes.length > LINE_LIMIT_BYTES ? Buffer.alloc(0) : bytes;
  }
}

/** unitEvent reads one line of JSON; undefined for what is no change of a unit. */
export function unitEvent(line: string): NewEvent | undefined {
  const { data } = entry.safeParse(parseJson(line));
  const state = data && STATES[data.MESSAGE_ID];
  return data && state ? { topic: 'unit', subject: data.UNIT, state, text: data.MESSAGE } : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
