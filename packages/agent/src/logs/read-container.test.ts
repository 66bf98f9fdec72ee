import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type LogEntry,
  type ReadLogsRequest,
  ReadLogsRequestSchema,
  ReadLogsResponseSchema,
} from '@plinth/api';
import { run } from '@plinth/host';
import { eventually, scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { ContainerLines } from './container-lines.ts';
import { EntryWriter } from './entry-writer.ts';
import { readContainer } from './read-container.ts';

type Time = { readonly seconds: bigint; readonly nanos: number };
type Request = Partial<
  Pick<ReadLogsRequest, 'lines' | 'follow' | 'grep' | 'boot'> & { since: Time; until: Time }
>;
const never = new AbortController().signal;
const wanted = { namespace: 'kube-system', pod: 'coredns-1', container: 'coredns' };

function line(second: number, text: string, { stream = 'stdout', tag = 'F' } = {}): string {
  return `2026-11-22T05:00:${String(second).padStart(2, '0')}.000000009Z ${stream} ${tag} ${text}\n`;
}

async function* entries(
  root: string,
  request: Request = {},
  container: Partial<typeof wanted & { previous: boolean }> = {},
  signal: AbortSignal = never,
): AsyncGenerator<LogEntry> {
  const source = { case: 'container' as const, value: { ...wanted, ...container } };
  const message = create(ReadLogsRequestSchema, { ...request, source });
  for await (const answer of readContainer(message, signal, { root, pollMs: 5 }))
    yield* fromBinary(ReadLogsResponseSchema, toBinary(ReadLogsResponseSchema, answer)).entries?.entries ??
      [];
}

async function texts(...args: Parameters<typeof entries>): Promise<string[]> {
  const found: string[] = [];
  for await (const { message } of entries(...args)) found.push(message);
  return found;
}

/** A pod's folder whose container has run twice; the last run was put aside twice. */
async function madePod(): Promise<{ root: string; folder: string }> {
  const root = await scratchFolder('pod-logs');
  const folder = join(root, 'kube-system_coredns-1_uid-1', 'coredns');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '0.log'), line(0, 'first run'));
  await writeFile(join(folder, '1.log.20261122-050000.gz'), gzipSync(line(1, 'a') + line(2, 'b')));
  await writeFile(join(folder, '1.log.20261122-050010'), line(3, 'c') + line(4, 'd', { stream: 'stderr' }));
  await writeFile(join(folder, '1.log'), line(5, 'e') + line(6, 'Needle f'));
  await writeFile(join(folder, '1.log.20261122-050020.tmp'), 'being compressed');
  return { root, folder };
}

test('a log is read through the files it was cut into', async () => {
  const { root } = await madePod();
  assert.deepEqual(await texts(root), ['a', 'b', 'c', 'd', 'e', 'Needle f']);
  const found: LogEntry[] = [];
  for await (const entry of entries(root)) found.push(entry);
  assert.deepEqual(
    found.map(({ stderr }) => stderr),
    [false, false, false, true, false, false],
  );
  assert.deepEqual(
    [found[0]?.identifier, found[0]?.time?.seconds, found[0]?.time?.nanos],
    ['coredns', BigInt(Date.UTC(2026, 10, 22, 5, 0, 1) / 1000), 9],
  );
});

test('lines, times and texts choose; previous is the run before', async () => {
  const { root } = await madePod();
  const at = (second: number) => ({ seconds: BigInt(Date.UTC(2026, 10, 22, 5, 0, second) / 1000), nanos: 9 });
  assert.deepEqual(await texts(root, { lines: 1 }), ['Needle f']);
  assert.deepEqual(await texts(root, { lines: 3 }), ['d', 'e', 'Needle f']);
  assert.deepEqual(await texts(root, { lines: 0 }), []);
  assert.deepEqual(await texts(root, { since: at(2), until: at(3) }), ['b', 'c']);
  assert.deepEqual(await texts(root, { grep: 'needle' }), ['Needle f']);
  assert.deepEqual(await texts(root, { grep: 'NEEDLE' }), []);
  assert.deepEqual(await texts(root, { until: at(3), lines: 2 }), ['b', 'c']);
  assert.deepEqual(await texts(root, { grep: '', lines: 2, since: at(6) }), ['Needle f']);
  assert.deepEqual(await texts(root, { grep: 'e', lines: 1 }), ['Needle f']);
  assert.deepEqual(await texts(root, {}, { previous: true }), ['first run']);
  assert.deepEqual(await texts(root, { lines: 1 }, { container: '' }), ['Needle f']);
});

test('what is not there, or no name, is refused with what there is', async () => {
  const { root } = await madePod();
  const missing = { code: 'logs/container-missing' };
  await assert.rejects(texts(root, {}, { pod: 'other' }), missing);
  await assert.rejects(texts(root, {}, { container: 'x' }), { ...missing, hint: 'It has coredns.' });
  for (const pod of ['../..', 'a/b', '', 'A', 'a_b'])
    await assert.rejects(texts(root, {}, { pod }), { code: 'logs/request-invalid' });
  await assert.rejects(texts(root, {}, { container: '..' }), missing);
  await assert.rejects(texts(root, { boot: 0 }), { code: 'logs/request-invalid' });
});

test('a link in place of a log is not followed', async () => {
  const { root, folder } = await madePod();
  await rm(join(folder, '1.log'));
  await symlink('/etc/passwd', join(folder, '1.log'));
  await assert.rejects(texts(root), { code: 'logs/unreadable' });
});

test('followed, a log goes on through new files and new runs, and ends with the pod', async () => {
  const { root, folder } = await madePod();
  const found: string[] = [];
  const reading = (async () => {
    for await (const { message } of entries(root, { follow: true, lines: 1 })) found.push(message);
  })();
  const until = (count: number) => eventually(() => assert.ok(found.length >= count, found.join()));
  await until(1);
  await appendFile(join(folder, '1.log'), line(7, 'g'));
  await until(2);
  await appendFile(join(folder, '1.log'), line(8, 'before it is full'));
  await rename(join(folder, '1.log'), join(folder, '1.log.20261122-050030'));
  await writeFile(join(folder, '1.log'), line(9, 'after'));
  await until(4);
  await writeFile(join(folder, '2.log'), line(10, 'new run'));
  await until(5);
  await rm(join(folder, '..'), { recursive: true });
  await reading;
  assert.deepEqual(found, ['Needle f', 'g', 'before it is full', 'after', 'new run']);
});

test('following ends when the client hangs up', async () => {
  const { root } = await madePod();
  const hangUp = new AbortController();
  const found: string[] = [];
  for await (const { message } of entries(root, { follow: true, lines: 1 }, {}, hangUp.signal)) {
    found.push(message);
    hangUp.abort();
  }
  assert.deepEqual(found, ['Needle f']);
});

test('parts of a line are joined per stream, however the file is cut; anything else is shown whole', () => {
  const log =
    line(1, 'one ', { tag: 'P' }) +
    line(1, 'other', { stream: 'stderr' }) +
    line(2, 'two', { tag: 'F' }) +
    'no log line\n' +
    line(3, '') +
    '2026-11-22T05:00:03Z stdout F\n' +
    line(4, 'spaces  in it ');
  const expected = ['other', 'one two', 'no log line', '', '', 'spaces  in it '];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 }), (sizes) => {
      const found: string[] = [];
      const lines = new ContainerLines('c', ({ message }) => found.push(message.toString()));
      for (let at = 0, index = 0; at < log.length; index++) {
        const size = sizes[index % sizes.length] ?? 1;
        lines.push(Buffer.from(log.slice(at, at + size)));
        at += size;
      }
      assert.deepEqual(found, expected);
    }),
  );
});

test('lines without an end, and noise, stay within bounds', () => {
  const lines = new ContainerLines('c', (record) => {
    const writer = new EntryWriter();
    writer.add(record);
    assert.ok(record.message.length <= 32 * 1024);
  });
  for (let count = 0; count < 20; count++) lines.push(Buffer.alloc(65_536, 'x'));
  for (let count = 0; count < 20; count++) lines.push(Buffer.from(line(1, 'y'.repeat(16_384), { tag: 'P' })));
  lines.push(Buffer.from(line(1, 'end')));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (noise) => lines.push(Buffer.from(noise))));
});

test('reading ends when the client hangs up in the middle of a compressed file', {
  timeout: 5_000,
}, async () => {
  const { root, folder } = await madePod();
  // Text that does not shrink, so that much of the file is still to be read.
  const noise = Array.from({ length: 20_000 }, () => line(1, randomBytes(60).toString('hex'))).join('');
  await writeFile(join(folder, '1.log.20261122-050000.gz'), gzipSync(noise));
  const leaving = new AbortController();
  let count = 0;
  for await (const _entry of entries(root, {}, {}, leaving.signal)) {
    leaving.abort();
    count++;
  }
  assert.ok(count > 0 && count < 20_000, String(count));
});

test('a damaged compressed file is an error and no wait without end', { timeout: 5_000 }, async () => {
  const { root, folder } = await madePod();
  await writeFile(join(folder, '1.log.20261122-050000.gz'), gzipSync(line(1, 'a')).subarray(0, 20));
  await assert.rejects(texts(root), { code: 'logs/unreadable' });
});

test('pipes and other files that are none are not waited for', { timeout: 5_000 }, async () => {
  const { root, folder } = await madePod();
  await rm(join(folder, '1.log'));
  await run('mkfifo', [join(folder, '1.log')], { env: { PATH: '/usr/bin:/bin' } });
  await assert.rejects(texts(root, { lines: 1 }), { code: 'logs/unreadable' });
  await assert.rejects(texts(root), { code: 'logs/unreadable' });
});
