import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import type { ProgramResult } from '../../sys/sys.ts';
import { systemdUnits, withoutSecrets } from './run-unit.ts';

const UNIT = 'plinth-kubeadm-init.service';
const done = (stdout: string): ProgramResult => ({ exitCode: 0, stdout, stderr: '' });

/** systemctl that gives one answer after the other to `show`. */
function units(states: readonly string[], journal = '') {
  const asked: string[] = [];
  let at = 0;
  const run = async (program: string, args: readonly string[]) => {
    asked.push([program, ...args].join(' '));
    if (program === '/usr/bin/journalctl') return done(journal);
    if (args[0] !== 'show') return done('');
    return done(states[Math.min(at++, states.length - 1)] ?? '');
  };
  return { asked, units: systemdUnits({ run, nowMs: () => 0 }, 1) };
}

const state = (active: string, result = 'success', more = '') =>
  `LoadState=loaded\nActiveState=${active}\nResult=${result}\nConditionResult=yes\nInvocationID=abc\nJob=0\n${more}`;

test('a unit is started without blocking and waited for', async () => {
  const { units: all, asked } = units([
    state('inactive', 'success', 'Job=17\n'),
    state('activating'),
    state('active'),
  ]);
  const waits: number[] = [];
  await all.run('start', UNIT, { timeoutMs: 10_000, onWait: (waitedMs) => waits.push(waitedMs) });
  assert.deepEqual(asked.slice(0, 2), [
    `/usr/bin/systemctl reset-failed ${UNIT}`,
    `/usr/bin/systemctl start --no-block ${UNIT}`,
  ]);
  assert.equal(waits.length, 2);
});

test('a oneshot that does not remain has ended well when it is inactive', async () => {
  await units([state('inactive')]).units.run('restart', UNIT, { timeoutMs: 1000 });
});

const failures: readonly (readonly [string, string, RegExp])[] = [
  [state('failed', 'exit-code'), 'kubernetes/unit-failed', /failed \(exit-code\); its last words: no disk/],
  [state('inactive', 'success', 'ConditionResult=no\n'), 'kubernetes/unit-failed', /conditions do not hold/],
  [state('activating'), 'kubernetes/unit-timeout', /activating after 0 s/],
];

for (const [shown, code, text] of failures) {
  test(`${code}: ${text.source}`, async () => {
    const { units: all } = units([shown], 'no disk\n');
    const work = all.run('start', UNIT, { timeoutMs: 20 });
    await assert.rejects(
      work,
      (reason) => reason instanceof PlinthError && reason.code === code && text.test(reason.message),
    );
  });
}

test('waiting ends when plinthd stops', async () => {
  const stopping = new AbortController();
  const work = units([state('activating')]).units.run('start', UNIT, {
    timeoutMs: 60_000,
    signal: stopping.signal,
  });
  stopping.abort();
  await assert.rejects(work, { name: 'AbortError' });
});

test('tokens and keys do not get out of a journal; hashes of authorities do', () => {
  const hash = `sha256:${'ab'.repeat(32)}`;
  const text = `join --token abcdef.0123456789abcdef --certificate-key ${'12'.repeat(32)} --hash ${hash}`;
  assert.equal(withoutSecrets(text), `join --token [token] --certificate-key [key] --hash ${hash}`);
});
