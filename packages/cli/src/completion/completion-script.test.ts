import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { commandTable } from '../commands/index.ts';
import { completionScript } from './completion-script.ts';

/** What bash offers for a command line that ends with the word being typed. */
function complete(line: string): string[] {
  const words = line.split(' ');
  const script = `${completionScript('bash', commandTable)}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _plinth; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '');
}

test('bash completes commands, options and the values of options', () => {
  assert.deepEqual(complete('plinth vers'), ['version']);
  assert.deepEqual(complete('plinth completion '), [
    'bash',
    'zsh',
    'fish',
    '-o',
    '--quiet',
    '--progress',
    '--color',
    '--help',
  ]);
  assert.deepEqual(complete('plinth version --progress '), ['auto', 'plain', 'json']);
});

for (const shell of ['zsh', 'fish'] as const) {
  const missing = spawnSync(shell, ['--version']).error !== undefined;
  test(`${shell} accepts its script`, { skip: missing && `${shell} is not on this machine` }, () => {
    execFileSync(shell, ['-n'], { input: completionScript(shell, commandTable) });
  });
}
