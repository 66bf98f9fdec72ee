import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { StartChoice } from '@plinth/api';
import type { FakeUpdate } from '@plinth/api/testing';
import { eventually } from '@plinth/host/testing';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

suite('versions of the system, by commands', () => {
  let fleet: FakeFleet;
  let node: FakeUpdate;
  const ok = (...argv: string[]) => fleet.ok(...argv);
  const refused = (pattern: RegExp, ...argv: string[]) => fleet.refused(pattern, ...argv);

  beforeEach(async () => {
    fleet = await fakeFleet('w1', 'w2');
    const update = fleet.nodes.get('w1')?.update;
    assert.ok(update);
    node = update;
  });
  afterEach(() => fleet[Symbol.asyncDispose]());

  test('upgrade stages, reboots and waits until the version has proven itself', async () => {
    const stdout = await ok('upgrade', '--yes');
    assert.match(stdout, /Node "w1" runs 1\.1, before 1\.0\.\n/);
    assert.match(stdout, /fetched +38\.1 MiB\ncopied +343 MiB/);
    assert.match(stdout, /until proven +\d/);
    assert.match(stdout, /checks passed +containerd/);
    assert.equal(node.booted.version, '1.1');
    const update = await ok('get', 'update');
    assert.match(update, /phase +committed\n/);
    assert.match(update, /because +1\.1 is the newest version and runs \[update\/up-to-date\]/);
    assert.match(update, /rollback +1\.0 +a +good/);
    assert.match(await ok('upgrade', '--yes'), /Node "w1" runs 1\.1 already\./);
  });

  test('get slots says what each slot is for, what is known of it, and why no update', async () => {
    assert.match(await ok('get', 'slots'), /a +1\.0 +booted +proven +yes/);
    await ok('upgrade', '--yes');
    const slots = await ok('get', 'slots');
    assert.match(slots, /a +1\.0 +rollback +proven +no/);
    assert.match(slots, /b +1\.1 +booted +proven +yes/);
    assert.match(slots, /why no update +1\.1 is the newest version and runs/);
    const data = JSON.parse(await ok('get', 'slots', '-o', 'json'));
    assert.deepEqual(data.whyNoUpdate, ['1.1 is the newest version and runs']);
  });

  test('staging and activating are apart; what is staged is shown, and nothing reboots', async () => {
    assert.match(await ok('update', 'stage'), /Version 1\.1 is staged on node "w1"/);
    assert.equal(node.booted.version, '1.0');
    const data = JSON.parse(await ok('get', 'update', '-o', 'json'));
    assert.partialDeepStrictEqual(data, { phase: 'staged', staged: { version: '1.1', slot: 'b' } });
    await ok('update', 'activate', '--yes');
    assert.equal(node.booted.version, '1.1');
  });

  test('how a staged version is started is shown, and the fastest way is taken unless a full reboot is asked for', async () => {
    await ok('update', 'stage');
    assert.match(await ok('get', 'update'), /start +1\.1 needs a full reboot: kernel 6\.12\.1 → 6\.12\.2\n/);
    node.startReasons = [];
    assert.match(await ok('get', 'update'), /start +1\.1 by soft-reboot\n/);
    await ok('update', 'activate', '--yes');
    assert.match(await ok('get', 'update'), /measured boot +of 1\.0; a soft-reboot went on from it\n/);
  });

  test('--full-reboot has the firmware start a version that a soft-reboot would do for', async () => {
    node.startReasons = [];
    await ok('upgrade', '--yes', '--full-reboot');
    assert.equal(node.booted.version, '1.1');
    assert.doesNotMatch(await ok('get', 'update'), /measured boot/);
  });

  test('a version that does not prove itself: the node is back, the command says why and fails', async () => {
    node.sick.add('1.1');
    assert.equal(
      await refused(/update\/fell-back.*1\.1.*runs 1\.0.*"containerd" did not pass/s, 'upgrade', '--yes'),
      1,
    );
    const update = await ok('get', 'update');
    assert.match(update, /phase +rolled-back\n/);
    assert.match(update, /fell back +from 1\.1 to 1\.0/);
    assert.match(update, /1\.1 +2027-.*\[update\/fell-back\]/);
    assert.match(await ok('get', 'update', '--journal'), /containerd: it is broken/);
  });

  test('rollback is one call; the version that was left is taken only when it is named', async () => {
    await ok('upgrade', '--yes');
    assert.match(await ok('rollback', '--yes', '--reason', 'slow'), /runs 1\.0, before 1\.1/);
    assert.equal(await refused(/update\/blocked-here/, 'upgrade', '--yes'), 1);
    assert.equal(await refused(/update\/no-rollback/, 'rollback', '--yes'), 1);
    await ok('upgrade', '--yes', '--to', '1.1');
    assert.equal(node.booted.version, '1.1');
  });

  test('a version is unblocked by name, and only if it is blocked', async () => {
    assert.equal(await refused(/not-blocked|is not blocked/, 'update', 'unblock', '1.1'), 2);
    node.blocked.set('1.1', 'update/fell-back');
    assert.match(await ok('update', 'unblock', '1.1'), /1\.1 is not blocked any more/);
  });

  test('staging that fails says what the node says, and the version before still runs', async () => {
    node.stageFails = 'every source stopped sending';
    assert.equal(await refused(/every source stopped sending/, 'upgrade', '--yes'), 1);
    assert.equal(node.booted.version, '1.0');
    assert.match(await ok('get', 'update'), /Staging of 1\.1: failed, .*every source stopped sending/);
  });

  test('without a terminal and without --yes nothing reboots', async () => {
    assert.equal(await refused(/hint: .*--yes/, 'upgrade'), 2);
    assert.equal(await refused(/hint: .*--yes/, 'rollback'), 2);
    assert.deepEqual([node.stageCalls, node.booted.version], [[], '1.0']);
  });

  test('what is staged is taken back; what there is is asked without a change', async () => {
    assert.match(await ok('update', 'cancel'), /nothing to take back/);
    await ok('update', 'stage');
    assert.match(await ok('update', 'cancel'), /1\.1 is not staged any more/);
    assert.match(await ok('update', 'check'), /next +1\.1\n/);
  });

  test('several nodes come one after the other, and the first that fails is the last', async () => {
    const second = fleet.nodes.get('w2')?.update;
    assert.ok(second);
    const stdout = await ok('upgrade', '--yes', '--nodes', 'w1,w2');
    assert.match(stdout, /w1 +1\.0 +1\.1 +committed/);
    assert.match(stdout, /w2 +1\.0 +1\.1 +committed/);
    for (const each of [node, second]) each.offered.push('1.2');
    node.sick.add('1.2');
    await refused(/update\/fell-back.*w1/s, 'upgrade', '--yes', '--nodes', 'w1,w2');
    assert.equal(second.booted.version, '1.1');
  });

  test('a way that leads through another version is gone to its end; by soft-reboot only the last part of it', async () => {
    node.offered.push('1.2');
    node.barrier = '1.1';
    const stdout = await ok('upgrade', '--yes', '--to', '1.2');
    assert.match(stdout, /Node "w1" runs 1\.2, before 1\.0\./);
    assert.deepEqual([node.stageCalls, node.booted.version], [['1.2', '1.2'], '1.2']);
    assert.deepEqual(node.starts, [StartChoice.FULL_REBOOT, StartChoice.FASTEST]);
  });

  test('a client that comes while a version is on trial follows it', async () => {
    const { machine } = fleet.nodes.get('w1') ?? assert.fail();
    await ok('update', 'stage');
    const first = ok('update', 'activate', '--yes');
    await eventually(() => assert.equal(node.booted.version, '1.1'));
    assert.match(await ok('upgrade', '--yes', '--to', '1.1'), /runs 1\.1, before 1\.0\.\n/);
    assert.match(await first, /runs 1\.1, before 1\.0\.\n/);
    assert.deepEqual([machine.boot, node.stageCalls], [2, ['']]);
    assert.match(await ok('upgrade', '--yes', '--to', '1.1'), /runs 1\.1 already/);
  });
});
