import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { openRecorder, RecordingFull, recordingOf } from './recorder.ts';

const given = {
  terminal: { columns: 80, rows: 24, kind: 'xterm' },
  title: 'view: "why"',
  startedAtMs: 1_795_000_000_500,
};

test('whatever pieces the bytes come in, the recording holds their text', async () => {
  const folder = await scratchFolder('recorder');
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 7 }), async (text, size) => {
      const path = join(folder, `${++count}.cast`);
      const recorder = await openRecorder(path, given);
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size) await recorder.shown(bytes.subarray(at, at + size));
      await recorder.close();
      const [header, ...events] = (await readFile(path, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.equal(header.timestamp, 1_795_000_000);
      assert.equal(events.map((each) => each[2]).join(''), bytes.toString('utf8'));
    }),
    { numRuns: 60 },
  );
});

test('it ends at its bound, is for root alone, and is what its hash says', async () => {
  const path = join(await scratchFolder('recorder'), 'full.cast');
  const recorder = await openRecorder(path, given, 1_000);
  await assert.rejects(async () => {
    for (;;) await recorder.typed(Buffer.from('0123456789'));
  }, RecordingFull);
  await recorder.close();
  const { sizeBytes, sha256 } = await recordingOf(path);
  const bytes = await readFile(path);
  assert.ok(sizeBytes <= 1_000 && sizeBytes > 900);
  assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await assert.rejects(recorder.shown(Buffer.from('x')), /closed/);
  await assert.rejects(openRecorder(path, given), { code: 'EEXIST' });
});

test('a recording that is not there is none', async () => {
  assert.deepEqual(await recordingOf('/nonexistent/recording.cast'), { sizeBytes: 0, sha256: '' });
});
