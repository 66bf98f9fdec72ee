import type { ReadLogsRequest, ReadLogsResponse } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { JOURNALCTL } from '../kubernetes/units/run-unit.ts';
import { ProgramFailure, type Sys } from '../sys/sys.ts';
import { EntryWriter } from './entry-writer.ts';
import { HeldRecords } from './held-records.ts';
import { comesReversed, journalArguments } from './journal-arguments.ts';
import { JournalExport } from './journal-export.ts';

/**
 * readJournal gives entries of the journal as answers of LogsService. One journalctl does the work; it is read only as
 * fast as its reader takes answers, and ends with `signal` or when the reader stops.
 * @throws logs/request-invalid, logs/boot-missing, logs/unreadable, logs/busy
 */
export async function* readJournal(
  sys: Pick<Sys, 'stream'>,
  request: ReadLogsRequest,
  signal: AbortSignal,
): AsyncGenerator<ReadLogsResponse> {
  const args = journalArguments(request);
  try {
    const output = sys.stream(JOURNALCTL, args, signal);
    yield* comesReversed(request) ? reversed(output, request.lines ?? 0) : inOrder(output);
  } catch (reason) {
    // It ends with 1 and without a word when nothing matches a pattern.
    if (request.grep !== '' && reason instanceof ProgramFailure && reason.stderr === '') return;
    throw journalFailure(reason, request);
  }
}

async function* inOrder(output: AsyncIterable<Buffer>): AsyncGenerator<ReadLogsResponse> {
  const writer = new EntryWriter();
  const full: ReadLogsResponse[] = [];
  const journal = new JournalExport((record) => {
    writer.add(record);
    const answer = writer.full ? writer.take() : undefined;
    if (answer) full.push(answer);
  });
  for await (const piece of output) {
    journal.push(piece);
    yield* full.splice(0);
    // Nobody waits for an answer to fill up: journalctl hands over what it has.
    const answer = writer.take();
    if (answer) yield answer;
  }
}

/** Entries that come newest first are turned round; the oldest are left out where all would not fit into memory. */
async function* reversed(output: AsyncIterable<Buffer>, lines: number): AsyncGenerator<ReadLogsResponse> {
  const held = new HeldRecords(lines);
  const journal = new JournalExport((record) => {
    if (!held.full) held.add(record);
  });
  try {
    for await (const piece of output) {
      journal.push(piece);
      if (held.full) break;
    }
    const writer = new EntryWriter();
    for (const record of held.take('last')) {
      writer.add(record);
      const answer = writer.full ? writer.take() : undefined;
      if (answer) yield answer;
    }
    const last = writer.take();
    if (last) yield last;
  } finally {
    held.release();
  }
}

function journalFailure(reason: unknown, { boot, grep }: ReadLogsRequest): unknown {
  if (reason instanceof SyntaxError)
    return new PlinthError(
      'logs/unreadable',
      `Cannot read the journal: ${reason.message}, expected its export format`,
    );
  if (!(reason instanceof ProgramFailure)) return reason;
  const said = reason.stderr.trim().split('\n').at(-1) ?? '';
  if (boot !== undefined && /boot/i.test(said))
    return new PlinthError(
      'logs/boot-missing',
      `Cannot read the log of boot ${boot}: the journal does not have it, expected a boot it has`,
      { hint: 'Boot 0 is the present one. The journal forgets the oldest entries when it is full.' },
    );
  if (grep !== '' && /pattern/i.test(said))
    return new PlinthError(
      'logs/request-invalid',
      `Cannot look for the pattern: ${said}, expected a Perl-compatible one`,
    );
  return new PlinthError(
    'logs/unreadable',
    `Cannot read the journal: journalctl ended with ${reason.exitCode}${said === '' ? '' : `: ${said}`}, expected 0`,
  );
}
