import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exitCodes } from '@plinth/base';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

let fleet: FakeFleet;
before(async () => {
  fleet = await fakeFleet('n1');
});
after(() => fleet[Symbol.asyncDispose]());

test('would-deny names processes, whose they are, and code that no signature can cover', async () => {
  const { exitCode, stdout, stderr } = await fleet.plinth('workload', 'would-deny');
  assert.deepEqual([exitCode, stderr], [exitCodes.ok, '']);
  assert.match(stdout, /^PID +NAME +OWNER +FILES +CODE$/m);
  assert.match(
    stdout,
    /^811 +app +pod 0b8f6c7a-52b1-4b8e-9d3c-3f2a1e0d9c8b +2 +\/app, writes its own code$/m,
  );
  assert.match(stdout, /^processes {2}1 of 74 would be refused$/m);
  const json = await fleet.plinth('workload', 'would-deny', '-o', 'json');
  assert.deepEqual(JSON.parse(json.stdout).processes[0].files, ['/app', '/lib/libc.so.6']);
});
