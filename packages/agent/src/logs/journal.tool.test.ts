import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type LogEntry, ReadLogsRequestSchema, ReadLogsResponseSchema } from '@plinth/api';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { streamProgram } from '../sys/stream-program.ts';
import type { Sys } from '../sys/sys.ts';
import { readJournal } from './read-journal.ts';
import { makeJournal } from './testing/make-journal.ts';

// The journal of a real journald, read by a real journalctl in its export format, held against what the same journalctl
// says in JSON: two formats of one program that share no parser of ours.

const never = new AbortController().signal;
type Request = MessageInitShape<typeof ReadLogsRequestSchema>;

suite('the journal', () => {
  let toolbox: Toolbox;
  let folder = '';
  let journal = '';
  let sys: Pick<Sys, 'stream'>;

  before(async () => {
    toolbox = await openToolbox();
    folder = await mkdtemp(join(tmpdir(), 'plinth-journal-'));
    const many = Array.from({ length: 3000 }, (_, index) => `line ${index} of many`);
    journal = await makeJournal(toolbox, folder, [
      { identifier: 'kubelet', priority: 6, lines: many },
      {
        identifier: 'hostile',
        priority: 3,
        lines: ['a\u001b[2Jb', 'tab\there', 'c1 \u009b31m', '€ ünïcödé', 'x'.repeat(40_000)],
      },
      { identifier: 'kubelet', priority: 4, lines: ['Needle', 'the end'] },
    ]);
    sys = {
      stream: (_program, args, signal) => {
        const command = toolboxJournalctl(toolbox, journal, args);
        return streamProgram(command.program, command.args, signal);
      },
    };
  });

  after(() => rm(folder, { recursive: true }));

  async function read(request: Request): Promise<LogEntry[]> {
    const found: LogEntry[] = [];
    for await (const answer of readJournal(sys, create(ReadLogsRequestSchema, request), never)) {
      const received = fromBinary(ReadLogsResponseSchema, toBinary(ReadLogsResponseSchema, answer));
      found.push(...(received.entries?.entries ?? []));
    }
    return found;
  }

  /** What journalctl says in JSON, the message as bytes where it holds control characters. */
  async function oracle(...args: string[]): Promise<Record<string, unknown>[]> {
    const { stdout } = await toolbox.run(
      'journalctl',
      ['--quiet', '--no-pager', '--all', '--output=json', '--directory=/journal', ...args],
      { binds: [{ host: journal, inside: '/journal', readOnly: true }] },
    );
    return stdout
      .toString()
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  const plain = (entry: LogEntry) => ({
    timeUs: String(BigInt(entry.time?.seconds ?? 0n) * 1_000_000n + BigInt(entry.time?.nanos ?? 0) / 1000n),
    identifier: entry.identifier,
    pid: entry.pid,
    priority: entry.priority,
    message: entry.message,
    cutBytes: Number(entry.cutBytes),
  });
  const expected = (entry: Record<string, unknown>) => {
    const { MESSAGE, __REALTIME_TIMESTAMP, SYSLOG_IDENTIFIER, _PID, PRIORITY } = entry;
    const bytes = Buffer.from(Array.isArray(MESSAGE) ? MESSAGE : String(MESSAGE));
    const limit = 32 * 1024;
    return {
      timeUs: String(__REALTIME_TIMESTAMP),
      identifier: String(SYSLOG_IDENTIFIER),
      // Lines sent between journald's accept() and its SO_PASSCRED have no sender, and no _PID.
      pid: Number(_PID ?? 0),
      priority: Number(PRIORITY),
      message: bytes.subarray(0, limit).toString('utf8'),
      cutBytes: Math.max(bytes.length - limit, 0),
    };
  };

  const questions: readonly [string, Request, readonly string[]][] = [
    ['everything', {}, []],
    ['the last lines', { lines: 7 }, ['--lines=7']],
    ['no lines', { lines: 0 }, ['--lines=0']],
    ['what is important', { priority: 4 }, ['--priority=0..4']],
    ['a pattern', { grep: 'line 1\\d{3}' }, ['--grep=line 1\\d{3}']],
    ['a pattern in any case', { grep: 'needle' }, ['--grep=needle']],
    ['a pattern that nothing matches', { grep: 'nothing of this' }, ['--since=@9999999999']],
    ['this boot', { boot: 0 }, ['--boot=0']],
    ['a unit that never was', { source: { case: 'unit', value: 'none.service' } }, ['--unit=none.service']],
    ['a future', { since: { seconds: 9_999_999_999n } }, ['--since=@9999999999']],
    ['a past', { until: { seconds: 5n } }, ['--until=@5']],
  ];
  for (const [name, request, args] of questions) {
    test(`${name}: as journalctl tells it in JSON`, async () => {
      assert.deepEqual((await read(request)).map(plain), (await oracle(...args)).map(expected));
    });
  }

  test('all of it was asked for: every line is there, also the hostile ones', async () => {
    const found = await read({});
    assert.equal(found.filter(({ identifier }) => identifier === 'kubelet').length, 3002);
    const hostile = found.filter(({ identifier }) => identifier === 'hostile').map(({ message }) => message);
    assert.deepEqual(hostile.slice(0, 4), ['a\u001b[2Jb', 'tab\there', 'c1 \u009b31m', '€ ünïcödé']);
  });

  test('the last entries with a pattern come oldest first', async () => {
    const found = (await read({ grep: 'line \\d', lines: 3 })).map(({ message }) => message);
    assert.deepEqual(found, ['line 2997 of many', 'line 2998 of many', 'line 2999 of many']);
  });

  test('a boot that is not there and a pattern that is none are told as such', async () => {
    await assert.rejects(read({ boot: -3 }), { code: 'logs/boot-missing' });
    await assert.rejects(read({ grep: '(' }), { code: 'logs/request-invalid' });
  });

  test('followed, it gives what is there and waits; hung up, journalctl ends', async () => {
    const hangUp = new AbortController();
    const request = create(ReadLogsRequestSchema, { follow: true, lines: 2 });
    let count = 0;
    for await (const answer of readJournal(sys, request, hangUp.signal)) {
      const received = fromBinary(ReadLogsResponseSchema, toBinary(ReadLogsResponseSchema, answer));
      count += received.entries?.entries.length ?? 0;
      if (count === 2) setTimeout(() => hangUp.abort(), 50);
    }
    assert.equal(count, 2);
  });
});

function toolboxJournalctl(toolbox: Toolbox, journal: string, args: readonly string[]) {
  return toolbox.command('journalctl', [...args, '--directory=/journal'], {
    binds: [{ host: journal, inside: '/journal', readOnly: true }],
  });
}
