import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { openAuditVerifier } from '@plinth/api';
import fc from 'fast-check';
import { type AuditFiles, auditFolder, auditMemory } from './audit-files.ts';
import { type AuditLog, openAuditLog } from './audit-log.ts';

const LIMITS = { fileBytes: 2_000, totalBytes: 10_000, waiting: 20, retryMs: 100 };
let now = Date.UTC(2026, 10, 22);

function open(files: AuditFiles, limits = LIMITS): Promise<AuditLog> {
  return openAuditLog({ files, limits, nowMs: () => now, opened: { node: 'n1' } });
}

async function linesOf(log: AuditLog, from = 1): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of log.read(from, false, new AbortController().signal)) lines.push(...batch);
  return lines;
}

function verify(lines: readonly string[], remembered?: { sequence: number; hash: string }) {
  const verifier = openAuditVerifier(remembered);
  for (const line of lines) verifier.add(line);
  return verifier.finish();
}

async function written(count: number, files = auditMemory(), limits = LIMITS) {
  const log = await open(files, limits);
  for (let index = 0; index < count; index++) await log.write({ index, text: 'x'.repeat(20) });
  return log;
}

test('lines are numbered from 1, and each holds the hash of the one before', async () => {
  const log = await written(5);
  const lines = await linesOf(log);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).seq),
    [1, 2, 3, 4, 5, 6],
  );
  const verdict = verify(lines);
  assert.equal(verdict.verdict, 'pass');
  const { sequence, hash } = await log.head();
  assert.deepEqual(verdict.head, { sequence, hash });
});

test('records written at the same time keep their order', async () => {
  const log = await open(auditMemory());
  await Promise.all(Array.from({ length: 15 }, (_, index) => log.write({ index })));
  const order = (await linesOf(log)).slice(1).map((line) => JSON.parse(line).index);
  assert.deepEqual(order, [...Array(15).keys()]);
});

test('any edit, removal, doubling, exchange or cut of lines is found', async () => {
  const log = await written(12);
  const lines = await linesOf(log);
  const { sequence, hash } = await log.head();
  const at = fc.nat({ max: lines.length - 1 });
  const changes = fc.oneof(
    fc.tuple(at, fc.nat({ max: 60 })).map(([index, place]) => {
      const line = lines[index] ?? '';
      const other = line[place] === '7' ? '8' : '7';
      return lines.with(index, line.slice(0, place) + other + line.slice(place + 1));
    }),
    at.map((index) => lines.toSpliced(index, 1)),
    at.map((index) => lines.toSpliced(index, 0, lines[index] ?? '')),
    fc.tuple(at, at).map(([a, b]) => lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '')),
    at.map((index) => lines.slice(0, index)),
  );
  fc.assert(
    fc.property(changes, (changed) => {
      fc.pre(changed.join('\n') !== lines.join('\n'));
      assert.equal(verify(changed, { sequence, hash }).verdict, 'fail');
    }),
    { numRuns: 500 },
  );
});

test('a log written anew from the start is found by whoever remembers the old head', async () => {
  const old = await (await written(4)).head();
  now += 1000;
  const anew = await written(9);
  const verdict = verify(await linesOf(anew), old);
  assert.equal(verdict.verdict, 'fail');
  assert.match(verdict.problems.join(), /written anew/);
});

test('the oldest files go when the log is full, and the log says up to where', async () => {
  const files = auditMemory();
  const log = await written(400, files);
  const { sizeBytes, firstSequence, sequence } = await log.head();
  assert.ok(sizeBytes <= LIMITS.totalBytes + LIMITS.fileBytes, `${sizeBytes}`);
  assert.ok(firstSequence > 200);
  assert.ok(sequence > 401);
  const lines = await linesOf(log);
  assert.equal(verify(lines).verdict, 'pass');
  assert.equal(verify(lines.slice(1)).verdict, 'fail');
  const [first] = await files.list();
  await files.remove(first?.name ?? '');
  assert.match(verify(await linesOf(log)).problems.join(), /the begin was cut/);
});

test('a record looks at the other files only when its file is new', async () => {
  const memory = auditMemory();
  let [looks, begun] = [0, 0];
  const files: AuditFiles = {
    ...memory,
    list: () => {
      looks++;
      return memory.list();
    },
    async append(name, data) {
      if (!(await memory.list()).some((file) => file.name === name)) begun++;
      await memory.append(name, data);
    },
  };
  const log = await open(files, { ...LIMITS, totalBytes: 1_000_000 });
  const opening = looks;
  for (let index = 0; index < 100; index++) await log.write({ index, text: 'x'.repeat(20) });
  assert.ok(begun > 5, `${begun}`);
  assert.ok(looks - opening <= 2 * begun, `${looks - opening} looks for ${begun} files`);
});

test('a head that lies before what is kept cannot be compared: unknown, not fine', async () => {
  const files = auditMemory();
  const early = await (await written(3, files)).head();
  const log = await written(400, files);
  assert.equal(verify(await linesOf(log), early).verdict, 'unknown');
});

test('after a power cut at any byte the log goes on, sound, and says that a line was torn', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-audit-'));
  try {
    await written(6, auditFolder(folder));
    const [name = ''] = readdirSync(folder);
    const whole = readFileSync(join(folder, name));
    for (let size = 0; size < whole.length; size += 7) {
      for (const file of readdirSync(folder)) rmSync(join(folder, file));
      writeFileSync(join(folder, name), whole.subarray(0, size));
      const log = await open(auditFolder(folder));
      await log.write({ again: true });
      const lines = await linesOf(log);
      assert.equal(verify(lines).verdict, 'pass', `cut at ${size}`);
      const torn = size > 0 && whole[size - 1] !== 0x0a;
      assert.equal(
        lines.some((line) => line.includes('"torn"')),
        torn,
        `cut at ${size}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('while the disk is full records wait; what is lost is counted, and the chain stays whole', async () => {
  const memory = auditMemory();
  let room = Number.POSITIVE_INFINITY;
  const files: AuditFiles = {
    ...memory,
    async append(name, data) {
      const part = data.subarray(0, room);
      if (part.length > 0) await memory.append(name, part);
      room -= part.length;
      if (part.length < data.length) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    },
  };
  const log = await written(3, files);
  room = 250;
  for (let index = 0; index < 50; index++) await log.write({ index });
  assert.match(log.concern() ?? '', /ENOSPC/);
  room = Number.POSITIVE_INFINITY;
  now += LIMITS.retryMs;
  // The one that comes when all places are taken is lost too, but makes the log try again.
  for (; log.concern() !== undefined; await setImmediate()) await log.write({ last: true });
  await log.write({ last: true });
  const lines = await linesOf(log);
  assert.equal(verify(lines).verdict, 'pass');
  assert.equal(log.concern(), undefined);
  const count = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'audit.lost')?.count;
  const kept = lines.filter((line) => line.includes('"index"') && !line.includes('"text"')).length;
  assert.ok(count > 0 && kept > 0, `${count} ${kept}`);
});

test('a follower gets every line once, those that are written meanwhile too', async () => {
  const log = await written(5);
  const stop = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const batch of log.read(1, true, stop.signal)) {
      seen.push(...batch.map((line) => JSON.parse(line).seq));
      if (seen.length === 36) stop.abort();
    }
  })();
  for (let index = 0; index < 30; index++) await log.write({ index });
  await following;
  assert.deepEqual(
    seen,
    Array.from({ length: 36 }, (_, index) => index + 1),
  );
});

test('a disk that answers only later costs no record and stops nobody', { timeout: 5_000 }, async () => {
  const memory = auditMemory();
  await written(4, memory);
  let failing = 1;
  const files: AuditFiles = {
    ...memory,
    async list() {
      if (failing-- > 0) throw Object.assign(new Error('no answer'), { code: 'EIO' });
      return memory.list();
    },
  };
  const log = await open(files);
  await log.write({ later: true });
  const lines = await linesOf(log);
  assert.equal(verify(lines).verdict, 'pass');
  assert.equal(lines.length, 7);
  assert.match(lines.at(-2) ?? '', /audit\.opened/);
  assert.match(lines.at(-1) ?? '', /later/);
});

test('a clock that is set back does not keep records waiting', { timeout: 5_000 }, async () => {
  const memory = auditMemory();
  let full = false;
  const files: AuditFiles = {
    ...memory,
    async append(name, data) {
      if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      await memory.append(name, data);
    },
  };
  const log = await open(files);
  full = true;
  await log.write({ first: true });
  full = false;
  now -= 10 ** 9;
  await log.write({ second: true });
  assert.equal(log.concern(), undefined);
  assert.match((await linesOf(log)).join(), /first.*second/);
});
