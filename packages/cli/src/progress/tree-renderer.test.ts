import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { createStyle } from '../output/style.ts';
import { createFakeTerminal } from '../testing/fake-terminal.ts';
import { createProgress } from './events.ts';
import { createTreeRenderer } from './tree-renderer.ts';

/** A terminal, a renderer on it, and a clock that goes only when told. */
function setUp(columns = 60, rows = 24) {
  const terminal = createFakeTerminal(columns, rows);
  let nowMs = 1000;
  const clock = () => nowMs;
  const renderer = createTreeRenderer(terminal, { style: createStyle(true), unicode: true, nowMs: clock });
  const progress = createProgress(renderer.on, clock);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { terminal, renderer, progress, pass };
}

test('tree renderer ends with the whole tree, durations and a visible cursor', async () => {
  const { terminal, renderer, progress, pass } = setUp();
  await progress.step('Check keys', async (step) => step.cached('they are there'));
  await progress.step('Build image', async (build) => {
    await build.step('Unpack 3 packages', async (step) => {
      step.note('1/3');
      pass(1500);
    });
    await build.step('Sign', async (step) => {
      step.warn('the key expires in 9 days');
      pass(61_000);
    });
  });
  renderer.close();
  assert.equal(
    terminal.text(),
    [
      '✓ Check keys                                         cached',
      '✓ Build image                                        1m 03s',
      '  ✓ Unpack 3 packages                                 1.5 s',
      '  ✓ Sign                                             1m 01s',
      '    ! the key expires in 9 days',
    ].join('\n'),
  );
  assert.ok(terminal.cursorShown());
});

test('tree renderer shows the note and time of a running step in place', async () => {
  const { terminal, renderer, progress, pass } = setUp();
  const shots: string[] = [];
  await progress.step('Fetch', async (step) => {
    pass(2000);
    step.note('12/103');
    await step.step('one', async () => {
      shots.push(terminal.text());
    });
  });
  renderer.close();
  assert.match(shots[0] ?? '', /^. Fetch {2}12\/103 +2\.0 s\n {2}. one +0\.0 s$/u);
});

test('tree renderer marks the step that failed and the one that was interrupted', async () => {
  const { terminal, renderer, progress } = setUp();
  const fail = progress.step('Outer', (outer) => outer.step('Inner', () => Promise.reject(new Error('no'))));
  await assert.rejects(fail, /no/);
  const stop = progress.step('Boot', () => Promise.reject(new PlinthError('cli/interrupted', 'stop')));
  await assert.rejects(stop, /stop/);
  renderer.close();
  assert.match(terminal.text(), /^✗ Outer .*\n {2}✗ Inner .*\n■ Boot /);
});

test('tree renderer never draws more lines than the screen has, however many steps run', async () => {
  const { terminal, renderer, progress, pass } = setUp(40, 8);
  await progress.step('Many', async (many) => {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        many.step(`part ${i}`, async () => {
          pass(10);
        }),
      ),
    );
  });
  renderer.close();
  assert.equal(terminal.text(), `✓ Many${' '.repeat(28)}0.5 s`);
});

test('tree renderer cuts long titles and removes escape sequences from them', async () => {
  const { terminal, renderer, progress } = setUp(30, 8);
  await progress.step(`\u001b[31mUnpack\n${'x'.repeat(80)}`, async () => {});
  renderer.close();
  assert.equal(terminal.text(), '✓ Unpack xxxxxxxxxxxx…  0.0 s');
});

test('tree renderer leaves the terminal to a question and goes on below the answer', async () => {
  const { terminal, renderer, progress } = setUp(40, 8);
  await progress.step('Lock', async () => {
    await renderer.suspend(async () => terminal.write('Update the lock? [Y/n] y\n'));
  });
  renderer.close();
  const [running = '', question, finished] = terminal.text().split('\n');
  assert.match(running, / Lock /);
  assert.equal(question, 'Update the lock? [Y/n] y');
  assert.match(finished ?? '', /^✓ Lock /);
});

test('tree renderer wraps warnings instead of cutting them', async () => {
  const { terminal, renderer, progress } = setUp(30, 8);
  await progress.step('Start', async (step) => step.warn('the image changed: made anew, /var is gone'));
  renderer.close();
  assert.deepEqual(terminal.text().split('\n').slice(1), [
    '  ! the image changed: made',
    '    anew, /var is gone',
  ]);
});
