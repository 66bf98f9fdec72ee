import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ioError, isErrno } from '@plinth/host';
import { z } from 'zod';
import { type ScanReport, type Verdict, verdicts } from '../model/index.ts';
import type { Decision } from '../policy/index.ts';

const text = z.string().max(400);
const verdict = z.enum(verdicts);
const eventSchema = z.object({
  /** When the watch saw it, ISO 8601. */
  at: text,
  /** "plinth_0.1.1_x86-64". */
  subject: text,
  id: text,
  verdict,
  /** Absent for the first event of an identifier in a subject. */
  before: verdict.optional(),
  /** Date of the first signed index seen that offers the fix, by which anybody can recompute the clock. */
  fixAvailableAt: text.optional(),
  dueAt: text.optional(),
  action: text.optional(),
});

/** One change of a verdict. The ledger is a list of them, one JSON object a line, and is only ever added to. */
export type LedgerEvent = z.infer<typeof eventSchema>;

/** readLedger reads the events that are there; a line that a crash cut off is passed over. @throws host/io */
export async function readLedger(path: string): Promise<LedgerEvent[]> {
  const content = await readFile(path, 'utf8').catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return '';
    throw ioError(reason, `read ${path}`);
  });
  return content.split('\n').flatMap((line) => {
    try {
      const event = eventSchema.safeParse(JSON.parse(line));
      return event.success ? [event.data] : [];
    } catch {
      // The last line of a run that was killed: the event is found and written again.
      return [];
    }
  });
}

/** newEvents gives what changed since the last event of each identifier in the subject; pure. */
export function newEvents(
  ledger: readonly LedgerEvent[],
  subject: string,
  { findings, judgedAt }: Pick<ScanReport, 'findings' | 'judgedAt'>,
  decisions: ReadonlyMap<string, Decision>,
): LedgerEvent[] {
  const last = new Map<string, Verdict>();
  for (const event of ledger) if (event.subject === subject) last.set(event.id, event.verdict);
  return findings.flatMap(({ vulnerability: { id }, verdict: now, clocks }): LedgerEvent[] => {
    const before = last.get(id);
    // What never was open or unknown here has no story.
    if (before === now || (before === undefined && (now === 'fixed' || now === 'not-affected'))) return [];
    const decision = decisions.get(id);
    return [
      {
        ...{ at: judgedAt, subject, id, verdict: now },
        ...(before === undefined ? {} : { before }),
        ...(clocks.fixAvailableAt === undefined ? {} : { fixAvailableAt: clocks.fixAvailableAt }),
        ...(decision?.clock ? { dueAt: decision.clock.dueAt } : {}),
        ...(decision && decision.action !== 'none' ? { action: decision.action } : {}),
      },
    ];
  });
}

/** appendLedger adds events in one write. @throws host/io, host/disk-full */
export async function appendLedger(path: string, events: readonly LedgerEvent[]): Promise<void> {
  if (events.length === 0) return;
  try {
    await mkdir(dirname(path), { recursive: true });
    // The newline before keeps a line that was cut off apart.
    await appendFile(path, `\n${events.map((event) => JSON.stringify(event)).join('\n')}\n`, { flush: true });
  } catch (reason) {
    throw ioError(reason, `write ${path}`);
  }
}
