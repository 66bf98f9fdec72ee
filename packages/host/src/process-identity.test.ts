import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { endProcess, identifyProcess, isAlive, waitForEnd } from './index.ts';

async function startSleeper() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  assert.ok(child.pid);
  const identity = await identifyProcess(child.pid);
  assert.ok(identity);
  return identity;
}

test('identifyProcess tells a process from another one that got its number', async () => {
  const sleeper = await startSleeper();
  assert.equal(await isAlive(sleeper), true);
  assert.equal(await isAlive({ ...sleeper, startTicks: '1' }), false);
  assert.equal(await identifyProcess(2 ** 30), undefined);
  await endProcess(sleeper, 5_000);
});

test('endProcess ends the process it was given and no other', async () => {
  const [first, second] = [await startSleeper(), await startSleeper()];
  await endProcess({ ...second, startTicks: '1' }, 0);
  await endProcess(first, 5_000);
  assert.equal(await isAlive(first), false);
  assert.equal(await isAlive(second), true);
  assert.equal(await waitForEnd(second, 0), false);
  await endProcess(second, 5_000);
});

test('endProcess kills a process that ignores the request to end', async () => {
  const child = spawn(process.execPath, [
    '-e',
    'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1e6)',
  ]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.ok(child.pid);
  const identity = await identifyProcess(child.pid);
  assert.ok(identity);
  await endProcess(identity, 100);
  assert.equal(await isAlive(identity), false);
});
