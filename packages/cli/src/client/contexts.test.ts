import assert from 'node:assert/strict';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import { chooseContext } from './choose-context.ts';
import { splitEndpoint } from './connect-context.ts';
import { changeContexts, contextsPath, parseContexts, readContexts } from './contexts-file.ts';

const context = {
  endpoint: '192.0.2.10:7546',
  fingerprint: `sha256:${'ab'.repeat(32)}`,
  certificate: '/keys/client.crt',
  key: '/keys/client.key',
};

function caught(work: () => unknown): PlinthError {
  try {
    work();
  } catch (reason) {
    if (reason instanceof PlinthError) return reason;
    throw reason;
  }
  throw new Error('nothing was thrown');
}

test('contextsPath: PLINTHCONFIG, else the configuration folder', () => {
  assert.equal(contextsPath({ PLINTHCONFIG: '/x/y' }), '/x/y');
  assert.equal(contextsPath({ XDG_CONFIG_HOME: '/home/a/.config' }), '/home/a/.config/plinth/config');
});

test('changeContexts keeps what it writes readable for its owner only', async () => {
  const path = join(await scratchFolder('cli'), 'sub', 'config');
  assert.deepEqual(await readContexts(path), { contexts: {} });
  await changeContexts(path, (file) => ({ current: 'n1', contexts: { ...file.contexts, n1: context } }));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readContexts(path), { current: 'n1', contexts: { n1: context } });
});

test('readContexts refuses a file that others can read', async () => {
  const path = join(await scratchFolder('cli'), 'config');
  await writeFile(path, 'contexts: {}\n');
  await chmod(path, 0o644);
  await assert.rejects(readContexts(path), { code: 'cli/config-invalid', hint: `Run "chmod 600 ${path}".` });
});

test('parseContexts reports every problem with its place and a guess', () => {
  const text = [
    'contexts:',
    '  n1:',
    '    endpint: a:1',
    `    fingerprint: sha256:00`,
    '    certificate: c',
    '',
  ].join('\n');
  const { code, diagnostics, exitCode } = caught(() => parseContexts(text, 'config'));
  assert.equal(code, 'cli/config-invalid');
  assert.equal(exitCode, 2);
  const unknown = diagnostics.find(({ message }) => message.includes('"endpint"'));
  assert.deepEqual(unknown?.span?.line, 3);
  assert.equal(unknown?.hint, 'did you mean "endpoint"?');
  assert.ok(diagnostics.some(({ path }) => path === '$.contexts.n1.fingerprint'));
});

test('chooseContext: flag over environment over current; a typo gets a guess', () => {
  const file = { current: 'a', contexts: { a: context, beta: { ...context, endpoint: 'b:1' }, c: context } };
  assert.equal(chooseContext(file, undefined, {}).name, 'a');
  assert.equal(chooseContext(file, undefined, { PLINTH_CONTEXT: 'beta' }).name, 'beta');
  assert.equal(chooseContext(file, 'c', { PLINTH_CONTEXT: 'beta' }).name, 'c');
  assert.equal(caught(() => chooseContext(file, 'bata', {})).hint, 'Did you mean beta?');
  assert.equal(caught(() => chooseContext({ contexts: {} }, undefined, {})).code, 'cli/context-missing');
});

test('splitEndpoint takes names, IPv4 and IPv6 apart', () => {
  assert.deepEqual(splitEndpoint('node-1.example:7546'), { address: 'node-1.example', port: 7546 });
  assert.deepEqual(splitEndpoint('[2001:db8::1]:7546'), { address: '2001:db8::1', port: 7546 });
});
