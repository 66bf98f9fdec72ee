import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ReadLogsRequestSchema, type ReadLogsResponse, ReadLogsResponseSchema } from '@plinth/api';
import { JOURNALCTL } from '../kubernetes/units/run-unit.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { comesReversed, journalArguments, LINES_LIMIT } from './journal-arguments.ts';
import { readJournal } from './read-journal.ts';

type Request = MessageInitShape<typeof ReadLogsRequestSchema>;
const request = (wanted: Request) => create(ReadLogsRequestSchema, wanted);
const added = (wanted: Request) => journalArguments(request(wanted)).slice(4);
const never = new AbortController().signal;

test('journalArguments names what is asked for in options that hold their value', () => {
  assert.deepEqual(added({}), []);
  assert.deepEqual(added({ source: { case: 'unit', value: 'kubelet.service' }, lines: 5, boot: -1 }), [
    '--unit=kubelet.service',
    '--boot=-1',
    '--lines=5',
  ]);
  assert.deepEqual(added({ source: { case: 'kernel', value: true }, follow: true }), [
    '--dmesg',
    '--follow',
    '--lines=all',
  ]);
  assert.deepEqual(
    added({ since: { seconds: 5n, nanos: 1_500 }, until: { seconds: 6n }, priority: 3, grep: '--x' }),
    ['--since=@5.000001', '--until=@6.000000', '--priority=0..3', '--grep=--x'],
  );
});

test('journalArguments refuses what journalctl would take for something else', () => {
  const refused: Request[] = [
    { source: { case: 'unit', value: '' } },
    { source: { case: 'unit', value: 'a b' } },
    { source: { case: 'unit', value: '../x' } },
    { source: { case: 'unit', value: 'x\0' } },
    { boot: 1 },
    { boot: -10_001 },
    { priority: 8 },
    { lines: LINES_LIMIT + 1 },
    { grep: 'x'.repeat(1025) },
    { follow: true, until: { seconds: 1n } },
    { since: { seconds: -1n } },
  ];
  for (const wanted of refused)
    assert.throws(() => journalArguments(request(wanted)), { code: 'logs/request-invalid' });
});

async function read(wanted: Request, answer: Parameters<typeof programs>[1]): Promise<string[]> {
  const found: ReadLogsResponse[] = [];
  const sys = fakeSys({ programs: programs(wanted, answer) });
  for await (const each of readJournal(sys, request(wanted), never)) found.push(each);
  return found.flatMap((each) => {
    const { entries } = fromBinary(ReadLogsResponseSchema, toBinary(ReadLogsResponseSchema, each));
    return entries?.entries.map(({ message }) => message) ?? [];
  });
}

function programs(wanted: Request, answer: string | { exitCode: number; stdout: string; stderr: string }) {
  return { [[JOURNALCTL, ...journalArguments(request(wanted))].join(' ')]: answer };
}

const entry = (message: string) => `__REALTIME_TIMESTAMP=1000000\nMESSAGE=${message}\n\n`;

test('entries come in their order, also where journalctl looks from the end', async () => {
  const stdout = entry('b') + entry('a');
  assert.deepEqual(await read({}, stdout), ['b', 'a']);
  assert.equal(comesReversed(request({ grep: 'x', lines: 2 })), true);
  assert.deepEqual(await read({ grep: 'x', lines: 2 }, stdout), ['a', 'b']);
});

test('what journalctl complains about is told in words of the request', async () => {
  const fails = (stderr: string) => ({ exitCode: 1, stdout: '', stderr });
  const noBoot = fails('No journal boot entry found for the specified boot (-1).\n');
  await assert.rejects(read({ boot: -1 }, noBoot), { code: 'logs/boot-missing' });
  const badPattern = fails('Bad pattern "(": missing closing parenthesis\n');
  await assert.rejects(read({ grep: '(' }, badPattern), { code: 'logs/request-invalid' });
  await assert.rejects(read({}, fails('x\nFailed to open\n')), {
    code: 'logs/unreadable',
    message: 'Cannot read the journal: journalctl ended with 1: Failed to open, expected 0',
  });
  assert.deepEqual(await read({ grep: 'nothing' }, fails('')), []);
  await assert.rejects(
    read({}, 'no journal at all, and no line that could be a field of one anywhere in it\n'),
    {
      code: 'logs/unreadable',
    },
  );
});
