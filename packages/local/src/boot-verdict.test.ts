import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BootVerdict, judgeConsoleLine } from './boot-verdict.ts';
import { readLines } from './console-lines.ts';

/** The verdict of a whole console: that of its first line that has one. */
function judgeConsole(text: string): BootVerdict | undefined {
  const lines = readLines();
  for (const line of [...lines.push(text), ...lines.end()]) {
    const verdict = judgeConsoleLine(line);
    if (verdict) return verdict;
  }
  return undefined;
}

const recorded = (name: string) => readFile(join(import.meta.dirname, '__fixtures__', `${name}.txt`), 'utf8');

for (const [name, code, reason] of [
  ['loader-changed', 'vm/firmware-refused', /BdsDxe: failed to load .*: Access Denied$/],
  ['uki-foreign', 'vm/firmware-refused', /Error loading .*\.efi: Access denied$/],
  ['root-changed', 'vm/root-refused', /verity: .*data block 0 is corrupted$/],
  ['hash-tree-changed', 'vm/root-refused', /verity: .*metadata block 1 is corrupted$/],
] as const) {
  test(`the console recorded as ${name} is judged ${code}, with the line that says why`, async () => {
    const verdict = judgeConsole(await recorded(name));
    assert.ok(verdict?.kind === 'failed');
    assert.equal(verdict.code, code);
    assert.match(verdict.reason, reason);
  });
}

for (const name of ['addon-ignored', 'unit-failed']) {
  test(`the console recorded as ${name} is that of a node that came up`, async () => {
    const verdict = judgeConsole(await recorded(name));
    assert.ok(verdict?.kind === 'ready', JSON.stringify(verdict));
    assert.match(verdict.fingerprint, /^sha256:[0-9a-f]{64}$/);
  });
}

const fingerprint = `sha256:${'0a'.repeat(32)}`;
for (const [line, expected] of [
  [`plinth: api ready port=7546 fingerprint=${fingerprint}`, { kind: 'ready', fingerprint }],
  [`[   12.3] plinth: api ready port=7546 fingerprint=${fingerprint}`, { kind: 'ready', fingerprint }],
  ['plinth: api ready port=7546 fingerprint=sha256:00', undefined],
  ['plinth: maintenance: no config', { kind: 'failed', code: 'vm/maintenance', reason: 'no config' }],
  ['[    2.1] Kernel panic - not syncing: x', 'vm/kernel-panic'],
  ['You are in emergency mode. After logging in, type', 'vm/emergency'],
  ['BdsDxe: No bootable option or device was found.', 'vm/firmware-refused'],
  ['BdsDxe: starting Boot0001 "UEFI Misc Device"', undefined],
  ['[  OK  ] Reached target multi-user.target', undefined],
  ['Loading failed, ignoring: Access denied', undefined],
  [
    '[   24.3] device-mapper: table: 254:0: verity: Root hash verification failed (-ENOKEY)',
    'vm/root-refused',
  ],
  // Of a layer that is merged over a verified root: the boot goes on without it.
  ['[   72.3] device-mapper: table: 254:1: verity: Root hash verification failed (-ENOKEY)', undefined],
] as const) {
  test(`judgeConsoleLine judges "${line}"`, () => {
    const wanted = typeof expected === 'string' ? { kind: 'failed', code: expected, reason: line } : expected;
    assert.deepEqual(judgeConsoleLine(line), wanted);
  });
}

test('judgeConsoleLine takes no text for ready that does not name a whole fingerprint', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.notEqual(judgeConsoleLine(`plinth: api ready port=7546 fingerprint=${text}`)?.kind, 'ready');
    }),
  );
});
