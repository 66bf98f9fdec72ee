import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../testing/config-world.ts';
import { HISTORY_LIMIT } from './state.ts';
import {
  alice,
  assertWhole,
  current,
  found,
  fresh,
  refused,
  started,
  textOf,
  within,
} from './transaction.testing.ts';
import { HEALTH_LIMIT_MS } from './transitions.ts';

test('the first config is brought about and becomes the last known good one once the node is healthy', async () => {
  const world = new World();
  world.given = found(textOf(1));
  world.healthy = false;
  const plinthd = await started(world);
  await plinthd.transaction.step();
  assertWhole(world, plinthd);
  assert.equal(plinthd.transaction.state().lastKnownGood, undefined);
  world.healthy = true;
  await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().lastKnownGood, 1);
});

test('a trial that is confirmed stays, also after a reboot', async () => {
  const { world, plinthd } = await fresh();
  const applied = await plinthd.operations.apply(textOf(2), alice, within);
  assert.deepEqual(applied, { revision: 2, mode: 'try' });
  await assert.rejects(plinthd.operations.apply(textOf(3), alice, within), refused('config/busy'));
  await assert.rejects(plinthd.operations.confirm(2, alice), refused('config/busy'));
  await plinthd.transaction.step();
  assertWhole(world, plinthd);
  await assert.rejects(plinthd.operations.confirm(1, alice), refused('config/not-in-trial'));
  await plinthd.operations.confirm(2, alice);
  await assert.rejects(plinthd.operations.confirm(2, alice), refused('config/not-in-trial'));
  world.reboot();
  const again = await started(world);
  await again.transaction.step();
  assert.equal(current(world, again), textOf(2).toString());
  assertWhole(world, again);
});

test('a trial that nobody confirms goes back at its deadline, whatever the clock says', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(3), alice, within);
  await plinthd.transaction.step();
  world.upMs += 59_000;
  world.nowMs += 10 ** 10;
  await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 2);
  world.nowMs -= 10 ** 11;
  world.upMs += 1_000;
  await plinthd.transaction.step();
  await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 1);
  assertWhole(world, plinthd);
  const last = plinthd.transaction.state().history.at(-1);
  assert.deepEqual([last?.outcome, last?.note], ['reverted', 'was not confirmed in time']);
  assert.ok(world.said.includes('config: back on revision 1: revision 2 was not confirmed in time'));
});

test('the deadline passes while plinthd is down: it goes back before it does anything else', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, within);
  await plinthd.transaction.step();
  world.upMs += 61_000;
  const again = await started(world);
  assert.equal(again.transaction.state().current, 1);
  await again.transaction.step();
  assertWhole(world, again);
});

test('a reboot in a trial goes back', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, within);
  await plinthd.transaction.step();
  world.reboot();
  const again = await started(world);
  assert.equal(again.transaction.state().current, 1);
  await again.transaction.step();
  assertWhole(world, again);
  assert.match(again.transaction.state().history.at(-1)?.note ?? '', /before the machine restarted/);
});

test('a trial whose client is cut off goes back at once', async () => {
  const { world, plinthd } = await fresh();
  let lost = false;
  await plinthd.operations.apply(textOf(2), alice, { ...within, reach: { lost: async () => lost } });
  await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 2);
  lost = true;
  await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 1);
  assertWhole(world, plinthd);
});

test('a config that cannot be brought about is taken back after three tries', async () => {
  const { world, plinthd } = await fresh();
  world.reloadFails = true;
  await plinthd.operations.apply(textOf(2), alice, within);
  for (let tries = 0; tries < 3; tries++) await plinthd.transaction.step();
  assert.equal(plinthd.transaction.problem(), 'networkctl reload ended with 1: no');
  assert.equal(plinthd.transaction.state().current, 2);
  await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 1);
  world.reloadFails = false;
  await plinthd.transaction.step();
  assertWhole(world, plinthd);
});

test('a staged config takes effect at the next boot, and the boot after that goes back unless the node was healthy', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'staged' });
  await plinthd.transaction.step();
  assertWhole(world, plinthd);
  assert.equal(current(world, plinthd), textOf(1).toString());
  const same = await started(world);
  assert.equal(same.transaction.state().current, 1, 'a restart of plinthd is no boot');
  world.healthy = false;
  world.reboot();
  const second = await started(world);
  await second.transaction.step();
  assert.equal(current(world, second), textOf(2).toString());
  assertWhole(world, second);
  world.reboot();
  const third = await started(world);
  await third.transaction.step();
  assert.equal(current(world, third), textOf(1).toString());
  assertWhole(world, third);
});

test('a staged config that reaches health is the last known good one', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'staged' });
  world.reboot();
  const second = await started(world);
  await second.transaction.step();
  await second.transaction.step();
  assert.deepEqual(
    [second.transaction.state().lastKnownGood, second.transaction.state().trial],
    [2, undefined],
  );
});

test('a staged config that does not reach health in time goes back in the same boot', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'staged' });
  world.reboot();
  world.healthy = false;
  const second = await started(world);
  await second.transaction.step();
  assert.deepEqual(second.transaction.obstacles(), ['containerd']);
  world.upMs += HEALTH_LIMIT_MS;
  await second.transaction.step();
  await second.transaction.step();
  assert.equal(second.transaction.state().current, 1);
  assertWhole(world, second);
  assert.match(second.transaction.state().history.at(-1)?.note ?? '', /did not reach health in time/);
});

test('what was broken before is not the fault of a config; one more boot is given to it', async () => {
  const { world, plinthd } = await fresh();
  world.healthy = false;
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'auto' });
  world.reboot();
  const again = await started(world);
  assert.equal(again.transaction.state().current, 2);
  await again.transaction.step();
  await again.transaction.step();
  assert.deepEqual(
    [again.transaction.state().lastKnownGood, again.transaction.state().trial],
    [2, undefined],
  );
});

test('the same config again changes nothing, and drops what is staged', async () => {
  const { plinthd } = await fresh();
  const before = plinthd.transaction.state();
  assert.deepEqual(await plinthd.operations.apply(textOf(1), alice, within), {
    revision: 1,
    mode: undefined,
  });
  assert.equal(plinthd.transaction.state(), before);
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'staged' });
  await plinthd.operations.apply(textOf(1), alice, within);
  assert.equal(plinthd.transaction.state().staged, undefined);
});

test('rollback ends what is open, else brings the config before back as a new revision', async () => {
  const { world, plinthd } = await fresh();
  await assert.rejects(plinthd.operations.rollback(0, alice, within), refused('config/no-earlier'));
  await plinthd.operations.apply(textOf(2), alice, within);
  assert.deepEqual(await plinthd.operations.rollback(0, alice, within), {
    ...{ undone: 2, revision: 1, mode: undefined },
  });
  await plinthd.transaction.step();
  assertWhole(world, plinthd);
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'auto' });
  for (let step = 0; step < 3; step++) await plinthd.transaction.step();
  assert.deepEqual(await plinthd.operations.rollback(0, alice, within), {
    ...{ undone: 0, revision: 4, mode: 'try' },
  });
  assert.equal(current(world, plinthd), textOf(1).toString());
  await assert.rejects(plinthd.operations.rollback(2, alice, within), refused('config/busy'));
  await assert.rejects(plinthd.operations.rollback(99, alice, within), refused('config/unknown-revision'));
});

test('a plan that was made for another config is refused, and so is an invalid config with its place', async () => {
  const { plinthd } = await fresh();
  const stale = { ...within, baseHash: '0'.repeat(64) };
  await assert.rejects(plinthd.operations.apply(textOf(2), alice, stale), refused('config/plan-stale'));
  await assert.rejects(
    plinthd.operations.apply(Buffer.from('kind: Machin\n'), alice, within),
    /line 1, column/,
  );
  const { plan, defaultMode, baseHash } = await plinthd.operations.plan(textOf(2), 0);
  assert.deepEqual([plan.changes.length, defaultMode], [1, 'try']);
  assert.deepEqual(await plinthd.operations.apply(textOf(2), alice, { ...within, baseHash }), {
    ...{ revision: 2, mode: 'try' },
  });
});

test('an applied config wins over the provisioned one until that one changes', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'auto' });
  for (let step = 0; step < 3; step++) await plinthd.transaction.step();
  world.reboot();
  const same = await started(world);
  assert.equal(current(world, same), textOf(2).toString());
  for (let step = 0; step < 3; step++) await same.transaction.step();
  world.reboot();
  world.given = found(textOf(4));
  const changed = await started(world);
  assert.equal(current(world, changed), textOf(4).toString());
  const last = changed.transaction.state().history.at(-1);
  assert.deepEqual([last?.author, last?.source, last?.mode], ['provisioning', 'fw_cfg', 'provisioning']);
  world.healthy = false;
  world.reboot();
  const back = await started(world);
  assert.equal(
    current(world, back),
    textOf(2).toString(),
    'a provisioned config that fails is not tried twice',
  );
});

test('a wrong provisioned config does not take a node down that has a good one', async () => {
  const { world } = await fresh();
  world.reboot();
  world.given = { ok: false, code: 'config/invalid', problems: ['unknown key "x" at line 3, column 1'] };
  const plinthd = await started(world);
  assert.equal(current(world, plinthd), textOf(1).toString());
  const without = new World();
  without.given = world.given;
  assert.equal(await without.start(), undefined);
});

test('a change of the name lets plinthd start anew, once', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(1, 'node-2'), alice, within);
  await plinthd.transaction.step();
  assert.equal(world.restarts, 1);
  assert.ok(!world.programs.some((line) => line.includes('plinthd')));
  const again = await started(world);
  await again.transaction.step();
  assert.equal(world.restarts, 1);
  assert.equal(again.transaction.config().machine.name, 'node-2');
});

test('a member of a cluster keeps its name, however it is given another', async () => {
  const { world, plinthd } = await fresh();
  world.cluster = 'prod';
  const fixed = refused('config/name-fixed');
  for (const mode of [undefined, 'auto', 'staged', 'try'] as const)
    await assert.rejects(plinthd.operations.apply(textOf(2, 'node-2'), alice, { ...within, mode }), fixed);
  await plinthd.operations.apply(textOf(2), alice, within);
  await plinthd.operations.rollback(0, alice, within);
  world.given = found(textOf(4, 'node-2'));
  world.reboot();
  const given = await started(world);
  assert.equal(given.transaction.config().machine.name, 'node-1');
  world.given = found(textOf(1));
  world.cluster = undefined;
  await given.transaction.step();
  await given.operations.apply(textOf(2, 'node-2'), alice, { ...within, mode: 'staged' });
  world.cluster = 'prod';
  world.reboot();
  const member = await started(world);
  assert.equal(member.transaction.config().machine.name, 'node-1');
  assert.deepEqual(
    [member.transaction.state().staged, member.transaction.state().history.at(-1)?.outcome],
    [undefined, 'dropped'],
  );
  assert.ok(world.said.some((line) => /is dropped: .* in the cluster prod/.test(line)));
});

/** textOf(1) with a VLAN, which is made at once and does not go without a reboot. */
function withVlan(): Buffer {
  return Buffer.from(
    `${textOf(1)}`.replace(
      '"interfaces"',
      '"vlans":[{"name":"vlan20","id":20,"parent":"52:54:00:00:00:01","addresses":["10.20.0.1/24"]}],"interfaces"',
    ),
  );
}
const REBOOT = 'systemctl start --no-block --job-mode=replace-irreversibly reboot.target';

test('what needs a reboot is refused at once, and taken staged', async () => {
  const { plinthd } = await fresh();
  await plinthd.operations.apply(withVlan(), alice, within);
  await plinthd.transaction.step();
  await plinthd.operations.confirm(2, alice);
  for (const mode of ['auto', 'try'] as const)
    await assert.rejects(
      plinthd.operations.apply(textOf(1), alice, { ...within, mode }),
      refused('config/needs-reboot'),
    );
  assert.equal((await plinthd.operations.apply(textOf(1), alice, within)).mode, 'staged');
});

test('a way back that needs a reboot is told after a trial, and taken after a boot that failed', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(withVlan(), alice, within);
  await plinthd.transaction.step();
  world.upMs += 60_000;
  for (let step = 0; step < 2; step++) await plinthd.transaction.step();
  assert.equal(plinthd.transaction.state().current, 1);
  assert.equal(plinthd.transaction.state().work.reboot.length, 1);
  assert.ok(!world.programs.includes(REBOOT));
  await plinthd.operations.apply(withVlan(), alice, { ...within, mode: 'staged' });
  world.reboot();
  world.healthy = false;
  const second = await started(world);
  await second.transaction.step();
  world.upMs += HEALTH_LIMIT_MS;
  for (let step = 0; step < 3; step++) await second.transaction.step();
  assert.equal(second.transaction.state().current, 1);
  assert.equal(world.programs.filter((line) => line === REBOOT).length, 1);
  world.reboot();
  const third = await started(world);
  await third.transaction.step();
  assertWhole(world, third);
  assert.deepEqual(third.transaction.state().work.reboot, []);
});

test('the history is bounded, its texts are forgotten with it, and the way back is never among them', async () => {
  const { world, plinthd } = await fresh();
  for (let n = 2; n < HISTORY_LIMIT + 12; n++) {
    const { revision } = await plinthd.operations.apply(textOf(n), alice, within);
    await plinthd.transaction.step();
    await plinthd.operations.rollback(0, alice, within);
    await plinthd.transaction.step();
    assert.equal(revision, n);
  }
  const { history } = plinthd.transaction.state();
  assert.equal(history.length, HISTORY_LIMIT);
  assert.equal(history[0]?.revision, 1);
  const texts = [...world.disk.keys()].filter((name) => /^config\/[0-9a-f]{64}$/.test(name));
  assert.equal(texts.length, HISTORY_LIMIT);
});

test('a damaged state is put aside, and the provisioned config is taken', async () => {
  const { world } = await fresh();
  world.disk.set('config/state.json', Buffer.from('{'));
  const plinthd = await started(world);
  assert.equal(plinthd.transaction.state().current, 1);
  assert.ok(world.said.some((line) => /put aside/.test(line)));
});

test('a damaged text leads back to the last known good one', async () => {
  const { world, plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, { ...within, mode: 'auto' });
  const hash = plinthd.transaction.state().history.at(-1)?.hash;
  world.disk.set(`config/${hash}`, Buffer.from('bits'));
  const again = await started(world);
  await again.transaction.step();
  assert.equal(current(world, again), textOf(1).toString());
  assertWhole(world, again);
});

test('a rollback that comes just after the confirmation says that there is nothing to take back', async () => {
  const { plinthd } = await fresh();
  await plinthd.operations.apply(textOf(2), alice, within);
  await plinthd.transaction.step();
  const confirmed = plinthd.operations.confirm(2, alice);
  await assert.rejects(plinthd.operations.rollback(0, alice, within), refused('config/not-in-trial'));
  await confirmed;
  assert.equal(plinthd.transaction.state().current, 2);
});
