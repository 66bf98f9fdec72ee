import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { osDir } from './flows/use-lock.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

/** A plinth process of its own, with folders of its own. */
async function start(...args: string[]) {
  const home = await scratchFolder('cli');
  const env = { PATH: process.env['PATH'], HOME: home, TERM: 'dumb' };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const seen = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => {
    seen.stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    seen.stderr += text.toString();
  });
  return { child, seen, ended: once(child, 'close').then(([code]): unknown => code) };
}

/** A mirror that takes connections and never answers. */
async function silentMirror() {
  const sockets = new Set<{ destroy(): unknown }>();
  let connected: () => void = () => {};
  const firstConnection = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the client hangs up; that is the test
    connected();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    firstConnection,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('Ctrl-C while a mirror is silent ends the command with 130, a calm message and an untouched lock', async () => {
  await using mirror = await silentMirror();
  const lockPath = join(osDir, 'plinth.lock.json');
  const lockBefore = await readFile(lockPath, 'utf8');
  const flags = ['--mirror', mirror.url, '--security-mirror', mirror.url, '--progress', 'json'];
  const { child, seen, ended } = await start('lock', '--update', ...flags);
  await mirror.firstConnection;
  child.kill('SIGINT');
  assert.equal(await ended, 130, seen.stderr);
  assert.match(seen.stderr, /Interrupted\. Run it again: finished steps are kept\.\n$/);
  const ends = seen.stderr.split('\n').filter((line) => line.includes('"type":"end"'));
  assert.ok(ends.length > 0);
  for (const line of ends) assert.equal(JSON.parse(line).end, 'interrupted');
  assert.equal(seen.stdout, '');
  assert.equal(await readFile(lockPath, 'utf8'), lockBefore);
});

test('a reader that goes away is not an error', async () => {
  const { child, seen, ended } = await start('errors');
  child.stdout.destroy();
  assert.equal(await ended, 0, seen.stderr);
});

test('the exit code of a failed command reaches the shell, and standard output stays empty', async () => {
  const { seen, ended } = await start('get', 'health', '-o', 'json');
  assert.equal(await ended, 2);
  assert.equal(seen.stdout, '');
  assert.equal(JSON.parse(seen.stderr).error.code, 'cli/context-missing');
});
