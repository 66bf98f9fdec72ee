import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootEndKind, MachineActState, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { judgeConsoleLine, readConsole, stopMachine } from '@plinth/local';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';

/** Without KVM on a busy computer an end and a start take this long. */
const RETURN_LIMIT_MS = 600_000;
const POLL_MS = 2_000;

suite('acts on the machine', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab({ refusals: [] });
    booted = await bootImage(lab, 'machine', {
      title: 'first boot',
      expected: 'ready',
      spec: { onReboot: 'restart' },
    });
    client = lab.owner.connect(endpointOf(booted));
  });
  after(async () => {
    client?.close();
    await lab[Symbol.asyncDispose]();
  });

  /** How the last boot ended; the journal of this one may not be whole yet when the API answers. */
  async function lastEnd(isWanted: (kind: BootEndKind) => boolean) {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const { lastEnd: end } = await client.getBootReport();
      assert.ok(end);
      if (isWanted(end.kind) || performance.now() > deadline) return end;
      await sleep(POLL_MS);
    }
  }

  /** Asks until the node answers out of another boot. */
  async function nextBoot(bootId: string): Promise<void> {
    const deadline = performance.now() + RETURN_LIMIT_MS;
    for (;;) {
      try {
        if ((await client.getIdentity()).bootId !== bootId) return;
      } catch (reason) {
        if (!(reason instanceof PlinthError && reason.retryable)) throw reason;
      }
      const console = await readConsole(booted.machine);
      assert.ok(performance.now() < deadline, `not back after:\n${console.slice(-20).join('\n')}`);
      await sleep(POLL_MS);
    }
  }

  test('before the first boot there was none', async () => {
    const end = await lastEnd((kind) => kind === BootEndKind.FIRST_BOOT);
    assert.equal(end.kind, BootEndKind.FIRST_BOOT, end.evidence.join('; '));
  });

  test('a service of the system is restarted; another is not', async () => {
    const { duration } = await client.machine.restartService('systemd-timesyncd');
    assert.ok(duration);
    await assert.rejects(client.machine.restartService('dbus-broker'), { code: 'machine/not-a-service' });
  });

  test('a reboot over the API is done in good order, and the next boot knows who asked and why', async () => {
    const before = await client.getIdentity();
    const { act } = await client.machine.reboot({ reason: 'a test of the reboot' });
    assert.equal(act?.state, MachineActState.ENDING);
    await nextBoot(before.bootId);
    const now = await client.getIdentity();
    assert.equal(now.nodeId, before.nodeId);
    const end = await lastEnd((kind) => kind === BootEndKind.REBOOT);
    assert.deepEqual(
      [end.kind, end.askedBy, end.reason],
      [BootEndKind.REBOOT, 'boot-tests', 'a test of the reboot'],
      end.evidence.join('; '),
    );
    assert.equal((await client.machine.get()).act?.state, MachineActState.DONE);
  });

  test('a reset is refused without the name of the node, and nothing happens', async () => {
    const { bootId } = await client.getIdentity();
    for (const typed of ['', 'machines'])
      await assert.rejects(client.machine.reset(typed), { code: 'machine/not-confirmed' });
    await sleep(POLL_MS * 2);
    assert.equal((await client.getIdentity()).bootId, bootId);
  });

  test('a reset makes /var anew: the node is another one, and knows no boot before', async () => {
    const before = await client.getIdentity();
    await client.machine.reset('machine', { reason: 'a test of the reset' });
    const deadline = performance.now() + RETURN_LIMIT_MS;
    const isMismatch = (reason: unknown) =>
      reason instanceof PlinthError && reason.code === 'api/identity-mismatch';
    for (;;) {
      const failure: unknown = await client.getIdentity().then(
        ({ bootId }) => assert.equal(bootId, before.bootId, 'it is back with its old identity'),
        (reason: unknown) => reason,
      );
      if (failure instanceof assert.AssertionError) throw failure;
      if (isMismatch(failure)) break;
      assert.ok(performance.now() < deadline, 'not back');
      await sleep(POLL_MS);
    }
    client.close();
    const verdicts = (await readConsole(booted.machine)).map(judgeConsoleLine);
    const ready = verdicts.findLast((verdict) => verdict?.kind === 'ready');
    assert.ok(ready?.kind === 'ready');
    client = lab.owner.connect({ ...endpointOf(booted), fingerprint: ready.fingerprint });
    const now = await client.getIdentity();
    assert.notEqual(now.nodeId, before.nodeId);
    assert.equal(now.identityPersistent, true);
    assert.equal((await client.machine.get()).act, undefined);
    const end = await lastEnd((kind) => kind === BootEndKind.FIRST_BOOT);
    assert.equal(end.kind, BootEndKind.FIRST_BOOT, end.evidence.join('; '));
  });

  test('the power button is an orderly end that nobody asked for over the API; no power is none', async () => {
    const { nodeId } = await client.getIdentity();
    client.close();
    assert.equal(await shutDown(lab, booted), 'powered-off');
    booted = await bootAgain(lab, booted.spec, { title: 'after the power button', expected: 'ready' });
    client = lab.owner.connect(endpointOf(booted));
    // The mark of the reset is gone from the firmware: this boot wiped nothing.
    assert.equal((await client.getIdentity()).nodeId, nodeId);
    const orderly = await lastEnd((kind) => kind === BootEndKind.ORDERLY);
    assert.deepEqual([orderly.kind, orderly.askedBy], [BootEndKind.ORDERLY, ''], orderly.evidence.join('; '));

    client.close();
    await stopMachine('machine', { root: lab.machinesRoot, graceMs: 0 });
    booted = await bootAgain(lab, booted.spec, { title: 'after the power was taken', expected: 'ready' });
    client = lab.owner.connect(endpointOf(booted));
    const abrupt = await lastEnd((kind) => kind === BootEndKind.ABRUPT);
    assert.equal(abrupt.kind, BootEndKind.ABRUPT, abrupt.evidence.join('; '));
  });
});
