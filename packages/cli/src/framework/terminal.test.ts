import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A process that takes its terminal over and then does what the test says; raw mode is told on its output. */
function program(ending: string): string {
  const terminal = fileURLToPath(new URL('./terminal.ts', import.meta.url));
  return `
    import { openTerminal } from ${JSON.stringify(terminal)};
    const input = {
      setRawMode: (on) => process.stdout.write(on ? '<raw>' : '<cooked>'),
      on() {}, off() {}, resume() {}, pause() {}, setEncoding() {},
    };
    const session = openTerminal(input, process.stdout).takeOver({ enter: '<enter>', leave: '<leave>' });
    session.onKeys(() => {});
    session.onResize(() => {});
    ${ending}
  `;
}

function run(ending: string) {
  const args = ['--input-type=module', '-e', program(ending)];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

test('the terminal is given back once, however the process ends', () => {
  for (const ending of [
    'session.end(); session.end();',
    'process.exit(3);',
    '', // comes to its end by itself
    'setTimeout(() => { throw new Error("a bug") });',
    'Promise.reject(new Error("a bug"));',
  ])
    assert.equal(run(ending).stdout, '<raw><enter><cooked><leave>', ending);
});

test('the report of a crash comes after it', async () => {
  // Both streams into one, as on a terminal.
  const shell = spawn('/bin/sh', [
    '-c',
    '"$0" --input-type=module -e "$1" 2>&1',
    process.execPath,
    program('setTimeout(() => { throw new Error("a bug") });'),
  ]);
  let seen = '';
  shell.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  await once(shell, 'close');
  assert.match(seen, /<leave>[\s\S]*Error: a bug/);
});
