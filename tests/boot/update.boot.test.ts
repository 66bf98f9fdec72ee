import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BootState, HealthContractState, type NodeClient, UpdatePhase } from '@plinth/api';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { badRecipes, good } from '../testkit/updates/recipes.ts';
import { openUpdateLab, stageWhole, type UpdateLab, untilUpdate } from '../testkit/updates/update-lab.ts';

/** Without KVM on a busy computer an end and a start take minutes. */
const BOOT_LIMIT_MS = 600_000;
const GOOD = '0.2.0';
const BAD = '0.3.0';

suite('a node updates itself', () => {
  let lab: BootLab;
  let updates: UpdateLab;
  let booted: BootedImage;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab();
    updates = await openUpdateLab(lab);
    await updates.publish(good(GOOD));
    booted = await bootImage(lab, 'update', {
      title: 'first boot',
      expected: 'ready',
      spec: { onReboot: 'restart', machineConfig: updates.machineConfig('update') },
    });
    client = lab.owner.connect(endpointOf(booted));
  });
  after(async () => {
    client?.close();
    await updates?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const until = (what: string, isWanted: Parameters<typeof untilUpdate>[3]) =>
    untilUpdate(booted.machine, client, what, isWanted, BOOT_LIMIT_MS);

  test('the first version is kept once it is healthy', async () => {
    const { booted: now } = await until('kept', ({ booted: at }) => at?.state === BootState.GOOD);
    assert.equal(now?.version, lab.release.version);
    assert.equal(now?.slot, 'a');
  });

  test('the partitions of the booted slot are read-only in the kernel, those of the other are not', async () => {
    const { disks } = await client.system.disks();
    const volumes = disks.flatMap((disk) => disk.volumes).filter(({ kind }) => kind === 'partition');
    const label = `plinth_${lab.release.version}`;
    const booted = volumes.filter((volume) => volume.label.startsWith(label));
    assert.deepEqual(
      booted.map((volume) => [volume.label, volume.readOnly]),
      ['', '_verity', '_sig'].map((part) => [`${label}${part}`, true]),
    );
    const empty = volumes.filter((volume) => volume.label === '_empty');
    assert.deepEqual(
      empty.map(({ readOnly }) => readOnly),
      [false, false, false],
    );
  });

  test('staging fetches little, and changes nothing that boots', async () => {
    const stage = await stageWhole(client, '');
    assert.equal(stage.phase, UpdatePhase.STAGED, `${stage.failure?.message}`);
    assert.equal(stage.version, GOOD);
    const total = Number(stage.totalBytes);
    const share = Number(stage.fetchedBytes) / total;
    assert.ok(share < 0.05, `${stage.fetchedBytes} of ${total} bytes came over the network`);
    assert.ok(Number(stage.copiedBytes) > 0.5 * total, `${stage.copiedBytes} bytes were copied`);
    const { booted: now, staged } = await client.update.get();
    assert.deepEqual([now?.version, staged?.version], [lab.release.version, GOOD]);
  });

  test('the version is tried, proves itself, and is kept', async () => {
    await client.update.activate(GOOD, { reason: 'a test of updates' });
    const update = await until('on the new version', ({ booted: at, phase }) => {
      return at?.version === GOOD && phase === UpdatePhase.COMMITTED;
    });
    assert.equal(update.booted?.slot, 'b');
    assert.equal(update.booted?.state, BootState.GOOD);
    assert.equal(update.contract?.state, HealthContractState.HELD);
    assert.equal(update.rollback?.version, lab.release.version);
  });

  test('rolling back sticks: the version that was left is not taken again', async () => {
    await client.update.rollBack({ reason: 'a test of going back' });
    const update = await until('back', ({ booted: at }) => at?.version === lab.release.version);
    assert.deepEqual(
      update.blocked.map(({ version, reason }) => [version, reason?.code]),
      [[GOOD, 'update/rolled-back']],
    );
    assert.equal((await client.update.check()).next?.version, '');
  });

  test('a version whose kernel panics is tried, left and blocked, and the node can be updated again', async () => {
    await updates.publish(badRecipes.kernelPanics(BAD));
    const staged = await stageWhole(client, BAD);
    assert.equal(staged.phase, UpdatePhase.STAGED, `${staged.failure?.message}`);
    const { bootId } = await client.getIdentity();
    await client.update.activate(BAD);
    const update = await until('back', ({ lastFallBack }) => lastFallBack?.fromVersion === BAD);
    assert.notEqual((await client.getIdentity()).bootId, bootId);
    assert.equal(update.booted?.version, lab.release.version);
    assert.equal(update.lastFallBack?.toVersion, lab.release.version);
    assert.ok(update.lastFallBack?.reason?.message, 'why it failed');
    assert.ok(update.blocked.some(({ version }) => version === BAD));
    await client.update.unblock(GOOD);
    assert.equal((await stageWhole(client, GOOD)).phase, UpdatePhase.STAGED);
  });
});
