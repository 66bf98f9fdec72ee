import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { FakeMachine } from '@plinth/api/testing';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

suite('acts on the machine, by commands', () => {
  let fleet: FakeFleet;
  let cp1: FakeMachine;
  const ok = (...argv: string[]) => fleet.ok(...argv);
  const refused = (pattern: RegExp, ...argv: string[]) => fleet.refused(pattern, ...argv);

  before(async () => {
    fleet = await fakeFleet('cp1');
    const machine = fleet.nodes.get('cp1')?.machine;
    assert.ok(machine);
    cp1 = machine;
  });
  after(() => fleet[Symbol.asyncDispose]());

  test('without a terminal and without --yes nothing ends, and the hint says what to add', async () => {
    for (const act of ['reboot', 'shutdown'])
      assert.equal(await refused(/cannot ask.*node "cp1"\?.*\n {2}hint: .*--yes/, act), 2);
    assert.deepEqual([cp1.boot, cp1.act], [1, undefined]);
  });

  test('reboot --wait follows the node into its next boot and says how long it was away', async () => {
    const stdout = await ok('reboot', '--yes', '--wait', '--reason', 'new firmware');
    assert.match(
      stdout,
      /Node "cp1" is back\.\n\naway +\d+\.\d s\nuntil healthy +\d+\.\d s\nhealth +healthy/,
    );
    assert.equal(cp1.boot, 2);
    const boot = await ok('get', 'boot');
    assert.match(boot, /last boot ended +reboot\nreason +new firmware/);
    const data = JSON.parse(await ok('get', 'machine', '-o', 'json'));
    assert.partialDeepStrictEqual(data.act, { kind: 'reboot', state: 'done', reason: 'new firmware' });
  });

  test('where the quorum would be lost only the typed name helps', async () => {
    cp1.quorumAtRisk = 'it is the only member';
    assert.equal(await refused(/machine\/quorum-at-risk.*it is the only member/s, 'reboot', '--yes'), 4);
    assert.equal(await refused(/machine\/quorum-at-risk/, 'reboot', '--yes', '--override', 'cp2'), 4);
    await ok('shutdown', '--yes', '--override', 'cp1');
    assert.match(await ok('get', 'machine'), /overridden +it is the only member/);
    await ok('get', 'machine');
    cp1.quorumAtRisk = '';
  });

  test('a drain that fails ends nothing, and the node says why', async () => {
    cp1.drainFails = 'the time is over and pods are still there (default/web-1)';
    await refused(/machine\/drain-failed.*default\/web-1.*node "cp1"/s, 'reboot', '--yes', '--drain');
    assert.equal(cp1.boot, 3);
    cp1.drainFails = '';
    await ok('reboot', '--yes', '--drain', '--wait');
    assert.equal(cp1.boot, 4);
  });

  test('a reset needs the name of the node, typed', async () => {
    assert.equal(await refused(/all data of node "cp1".*--confirm is missing/s, 'reset'), 2);
    assert.equal(await refused(/--confirm is "cp2", expected "cp1"/, 'reset', '--confirm', 'cp2'), 2);
    assert.notEqual(cp1.act?.state, 2);
    const stdout = await ok('reset', '--confirm', 'cp1');
    assert.match(stdout, /wipes its data.*\n.*or waits for one/);
    await ok('get', 'machine');
    await ok('get', 'machine');
  });

  test('a service is restarted, if it is one', async () => {
    assert.match(await ok('restart', 'containerd'), /containerd runs again after 2\.0 s/);
    assert.equal(await refused(/machine\/not-a-service/, 'restart', 'sshd'), 2);
    assert.deepEqual(cp1.restarted, ['containerd']);
  });
});
