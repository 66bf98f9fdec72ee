import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import { commandLines } from './command-lines.ts';

test('a long command is broken before its options, and what is quoted is not', () => {
  assert.deepEqual(commandLines("az aks list --query '[].{a: --b, c: d}' --output table", 32), [
    '  az aks list \\',
    "    --query '[].{a: --b, c: d}' \\",
    '    --output table',
  ]);
  assert.deepEqual(commandLines('kubectl get nodes -o wide', 80), ['  kubectl get nodes -o wide']);
});

test('a shell reads the same words from the lines as from the command', () => {
  const wordsOf = (script: string) =>
    execFileSync('sh', ['-c', `set -- ${script}\nprintf '%s\\n' "$@"`], { encoding: 'utf8', timeout: 5000 });
  const plain = fc.stringMatching(/^(--)?[a-z=,./]{1,12}$/);
  const quoted = fc.stringMatching(/^[a-z '\\-]{1,12}$/).map((text) => `'${text.replaceAll("'", "'\\''")}'`);
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, quoted), { minLength: 1, maxLength: 12 }), (words) => {
      const command = words.join(' ');
      assert.equal(wordsOf(commandLines(command, 24).join('\n')), wordsOf(command));
    }),
    { numRuns: 60 },
  );
});
