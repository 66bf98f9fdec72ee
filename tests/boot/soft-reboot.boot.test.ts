import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BootState, type NodeClient, UpdatePhase, Verdict } from '@plinth/api';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { failing } from '../testkit/node-answers.ts';
import { good } from '../testkit/updates/recipes.ts';
import { openUpdateLab, stageWhole, type UpdateLab, untilUpdate } from '../testkit/updates/update-lab.ts';

// One machine, two boots: the first version goes to the next by soft-reboot, which then has to be started by the firmware too.

const LIMIT_MS = 600_000;
const NEXT = '0.2.0';

suite('a version with the same kernel', () => {
  let lab: BootLab;
  let updates: UpdateLab;
  let booted: BootedImage;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab({ refusals: [] });
    updates = await openUpdateLab(lab);
    await updates.publish(good(NEXT));
    booted = await bootImage(lab, 'soft-reboot', {
      title: 'first boot',
      expected: 'ready',
      spec: { onReboot: 'restart', machineConfig: updates.machineConfig('soft-reboot') },
    });
    client = lab.owner.connect(endpointOf(booted));
  });
  after(async () => {
    client?.close();
    await updates?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const until = (what: string, isWanted: Parameters<typeof untilUpdate>[3]) =>
    untilUpdate(booted.machine, client, what, isWanted, LIMIT_MS);

  test('is said to go by soft-reboot once it is staged', async () => {
    await until('kept', ({ booted: at }) => at?.state === BootState.GOOD);
    const stage = await stageWhole(client, NEXT);
    assert.equal(stage.phase, UpdatePhase.STAGED, `${stage.failure?.message}`);
    const { startWay } = await client.update.get();
    assert.deepEqual([startWay?.softReboot, startWay?.reasons], [true, []]);
  });

  test('runs without a start of the kernel, healthy, and keeps its tries', async () => {
    const [before, { bootId }] = [await client.getIdentity(), await client.getBootReport()];
    const { startWay } = await client.update.activate(NEXT, { fastest: true, reason: 'a test' });
    assert.equal(startWay?.softReboot, true);
    const update = await until('healthy on the new version', ({ booted: at, phase }) => {
      return at?.version === NEXT && phase === UpdatePhase.COMMITTED;
    });
    const now = await client.getIdentity();
    assert.notEqual(now.bootId, before.bootId, 'the start is another one');
    assert.equal(now.machineId, before.machineId);
    assert.equal((await client.getBootReport()).bootId, bootId, 'the kernel is the same');
    assert.partialDeepStrictEqual(update.booted, {
      slot: 'b',
      state: BootState.TRIAL,
      triesLeft: 3,
      triesDone: 0,
    });
    assert.equal(update.firmwareStarted, lab.release.version);
    assert.deepEqual(update.writeProtectedSlots.toSorted(), ['a', 'b']);
  });

  test('has the integrity of a boot, and says whose the measurements are', async () => {
    const { checks, rootHash } = await client.getIntegrity();
    assert.deepEqual(failing(checks), []);
    const text = (id: string) => checks.find((check) => check.id === id)?.observed ?? '';
    assert.match(text('root-hash'), new RegExp(`^${rootHash}, gone to by soft-reboot and signed by key`));
    assert.match(text('measured-boot'), /of the version that the firmware started/);
    assert.ok(checks.every(({ verdict }) => verdict === Verdict.PASS));
  });

  test('costs no version that is proven: nothing is staged before the firmware has started it', async () => {
    await assert.rejects(stageWhole(client, ''), { code: 'update/soft-started' });
  });

  test('is kept when the firmware has started it too', async () => {
    await client.machine.reboot({ reason: 'a test' });
    const update = await until(
      'kept',
      ({ booted: at }) => at?.state === BootState.GOOD && at.version === NEXT,
    );
    assert.equal(update.firmwareStarted, '');
    assert.equal(update.rollback?.version, lab.release.version);
  });
});
