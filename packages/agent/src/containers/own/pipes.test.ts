import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryStore } from '../../sys/state-store.ts';
import { tmpfilesPipes } from './pipes.ts';

const CONFIG = 'pipes.conf';

test('containers that start together each get their pipes', async () => {
  const store = memoryStore('a test');
  const made: string[] = [];
  const sys = {
    async run(_program: string, args: readonly string[]) {
      assert.equal(args.at(-1), `/var/lib/plinth/${CONFIG}`);
      await sleep(5); // a program takes a while until it reads
      const text = (await store.read(CONFIG))?.toString() ?? '';
      made.push(...[...text.matchAll(/^p\+ (\S+) 0600 root root$/gm)].map(([, path]) => path ?? ''));
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  const makePipes = tmpfilesPipes(sys, store, CONFIG);
  await Promise.all([makePipes('/a'), makePipes('/b')]);
  assert.deepEqual(made, ['/a/stdin', '/a/stdout', '/b/stdin', '/b/stdout']);
});

test('pipes that cannot be made are told with the words of the program', async () => {
  const sys = { run: async () => ({ exitCode: 73, stdout: '', stderr: 'no space\n' }) };
  await assert.rejects(tmpfilesPipes(sys, memoryStore('a test'), CONFIG)('/a'), {
    code: 'containers/failed',
    message: 'Cannot make the pipes of a container: systemd-tmpfiles ended with 73: no space, expected 0',
  });
});
