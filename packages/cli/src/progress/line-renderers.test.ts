import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgressRenderer } from './events.ts';
import { createProgress } from './events.ts';
import { createJsonRenderer } from './json-renderer.ts';
import { createPlainRenderer } from './plain-renderer.ts';

/** The same work for each renderer; the clock goes 100 ms a reading. */
async function show(create: (stream: { write(text: string): void }) => ProgressRenderer): Promise<string> {
  let out = '';
  const renderer = create({
    write: (text) => {
      out += text;
    },
  });
  let nowMs = 0;
  const progress = createProgress(renderer.on, () => {
    nowMs += 100;
    return nowMs;
  });
  await progress.step('Build', async (build) => {
    await build.step('Fetch', async (step) => {
      for (let i = 0; i < 250; i++) step.note(`${i}/250`);
    });
    await build.step('Toolbox', async (step) => step.cached('unchanged'));
    build.warn('old lock');
  });
  renderer.close();
  return out;
}

test('plain renderer writes whole lines that stand for themselves, and few notes', async () => {
  assert.equal(
    await show(createPlainRenderer),
    [
      '   0.1s  start   Build',
      '   0.2s  start   Build > Fetch',
      '  10.2s          Build > Fetch: 99/250',
      '  20.2s          Build > Fetch: 199/250',
      '  25.3s  done    Build > Fetch (25 s)',
      '  25.4s  start   Build > Toolbox',
      '  25.6s  cached  Build > Toolbox (0.2 s)',
      '  25.7s  warning Build: old lock',
      '  25.8s  done    Build (26 s)',
      '',
    ].join('\n'),
  );
});

test('a step that has nothing to tell for long still shows that it lives', () => {
  let out = '';
  const renderer = createPlainRenderer({
    write: (text) => {
      out += text;
    },
  });
  const step = { id: 1, parentId: 0, title: 'Wait' };
  renderer.on({ type: 'start', ...step, atMs: 0 });
  renderer.on({ type: 'note', ...step, text: '', atMs: 10_000 });
  assert.match(out, /^ {2}10\.0s {10}Wait: still at work$/m);
});

test('JSON renderer writes one object a line; ids tie starts, notes and ends together', async () => {
  const events = (await show(createJsonRenderer))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(events[0], { type: 'start', id: 1, parentId: 0, title: 'Build', atMs: 100 });
  assert.deepEqual(events.at(-1), {
    type: 'end',
    id: 1,
    parentId: 0,
    title: 'Build',
    atMs: 25800,
    end: 'done',
    durationMs: 25700,
  });
  const starts = events.filter(({ type }) => type === 'start').map(({ id }) => id);
  const ends = events.filter(({ type }) => type === 'end').map(({ id }) => id);
  assert.deepEqual(starts, [1, 2, 3]);
  assert.deepEqual(ends, [2, 3, 1]);
});
