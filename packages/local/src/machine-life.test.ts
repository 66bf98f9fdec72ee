import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { isAlive, removeTree, waitForEnd } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import {
  destroyMachine,
  findMachine,
  followConsoleLines,
  isPaused,
  listMachines,
  type MachineSpec,
  openConsole,
  pauseMachine,
  resumeMachine,
  screenshotMachine,
  setLink,
  startMachine,
  stopMachine,
  waitForApi,
} from './index.ts';
import { resetMachine } from './stalled-timers.ts';

const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const tcg = { kind: 'tcg', reason: 'the tests do not depend on the computer' } as const;

/** Real QEMU, firmware and TPM, and an empty disk: everything but a system to boot. */
suite('the life of a machine', () => {
  let toolbox: Toolbox;
  let scratch: string;
  let root: string;
  let spec: MachineSpec;

  before(async () => {
    toolbox = await openToolbox();
    scratch = await mkdtemp(join(tmpdir(), 'plinth-machine-'));
    // Longer than a unix socket's path may be (107 bytes).
    root = join(scratch, 'deep-'.repeat(30));
    const path = join(scratch, 'disk.raw');
    await writeFile(path, '');
    await truncate(path, 1024 ** 2);
    const disk = { kind: 'raw', path } as const;
    spec = { name: 'life', disk, memoryMiB: 256, firmware: 'uefi', tpm: true, durability: 'throw-away' };
  });

  after(async () => {
    for (const { name } of await listMachines(root)) await destroyMachine(name, { root });
    await removeTree(scratch);
  });

  test('starts, shows its screen and console, stops, starts again, and is gone when destroyed', async () => {
    const machine = await startMachine(toolbox, spec, { root, accelerator: tcg });
    const processes = [machine.record.qemu, machine.record.tpm];
    assert.deepEqual(
      (await listMachines(root)).map(({ name, state }) => [name, state]),
      [['life', 'running']],
    );
    await assert.rejects(waitForApi(machine), withCode('vm/firmware-refused'));

    const picture = join(scratch, 'screen.png');
    await screenshotMachine('life', picture, { root });
    assert.equal((await readFile(picture)).subarray(1, 4).toString(), 'PNG');
    const console = await openConsole('life', { root });
    console.destroy();

    await assert.rejects(startMachine(toolbox, spec, { root }), withCode('vm/already-running'));
    const samePort = { ...spec, name: 'other', apiPort: machine.record.apiPort };
    await assert.rejects(startMachine(toolbox, samePort, { root }), withCode('vm/port-taken'));

    assert.equal(await stopMachine('life', { root, graceMs: 0 }), 'power-taken');
    for (const process of processes) assert.ok(process && !(await isAlive(process)));
    assert.equal(await stopMachine('life', { root }), 'was-not-running');
    assert.equal((await findMachine('life', root)).state, 'stopped');
    await assert.rejects(screenshotMachine('life', picture, { root }), withCode('vm/not-running'));

    assert.equal((await startMachine(toolbox, spec, { root, accelerator: tcg })).state, 'running');
    await destroyMachine('life', { root });
    await assert.rejects(findMachine('life', root), withCode('vm/not-found'));
    assert.deepEqual(await readdir(root), []);
  });

  test('two machines share a network and a read-only drive, lose their cable, pause and go on', async () => {
    const path = join(scratch, 'layer.raw');
    await writeFile(path, '');
    await truncate(path, 1024 ** 2);
    const drive = { path, format: 'raw', readOnly: true, serial: 'kubernetes-1.37.1' } as const;
    const member = (name: string, last: string) => ({
      ...{ ...spec, name, kubernetesPort: 0, extraDrives: [drive] },
      clusterCard: { group: '239.255.7.46', port: 47_546, mac: `52:54:00:05:ff:${last}` },
    });
    const options = { root, accelerator: tcg };
    const first = await startMachine(toolbox, member('one', '0b'), options);
    const second = await startMachine(toolbox, member('two', '65'), options);
    const ports = [first, second].map(({ record }) => record.kubernetesPort);
    assert.ok(ports.every((port) => port !== undefined && port > 0) && ports[0] !== ports[1]);
    assert.deepEqual(
      (await listMachines(root)).map(({ record }) => record.kubernetesPort),
      ports,
    );

    await setLink('one', false, { root });
    await setLink('one', true, { root });
    await pauseMachine('two', { root });
    assert.deepEqual([await isPaused(first), await isPaused(second)], [false, true]);
    await resumeMachine('two', { root });
    assert.equal(await isPaused(second), false);

    for (const name of ['one', 'two']) await destroyMachine(name, { root });
    const alone = await startMachine(toolbox, spec, options);
    assert.equal(alone.record.kubernetesPort, undefined);
    await assert.rejects(setLink('life', false, { root }), withCode('vm/monitor'));
    await destroyMachine('life', { root });
  });

  test('is reset, though it is to end when its system restarts itself', async () => {
    const machine = await startMachine(toolbox, { ...spec, onReboot: 'end' }, { root, accelerator: tcg });
    let starts = 0;
    for await (const line of followConsoleLines(machine)) {
      // The firmware gives up, as there is nothing to boot.
      if (!/BdsDxe: (failed|No bootable)/.test(line)) continue;
      if (++starts === 2) break;
      await resetMachine(machine);
    }
    assert.equal(starts, 2);
    assert.equal((await findMachine('life', root)).state, 'running');
    await destroyMachine('life', { root });
  });

  test('is dead when QEMU was killed, and can be started again', async () => {
    const { record } = await startMachine(toolbox, spec, { root, accelerator: tcg });
    process.kill(record.qemu.pid, 'SIGKILL');
    // The kernel takes its time to end it, longer on a busy machine.
    await waitForEnd(record.qemu, 30_000);
    assert.equal(await stopMachine('life', { root, graceMs: 0 }), 'was-not-running');
    const dead = await findMachine('life', root);
    assert.deepEqual([dead.state, dead.reason], ['dead', 'QEMU was killed']);
    await startMachine(toolbox, spec, { root, accelerator: tcg });
    await destroyMachine('life', { root });
  });

  test('does not start on an image that was changed under its differences', async () => {
    await startMachine(toolbox, spec, { root, accelerator: tcg });
    await stopMachine('life', { root, graceMs: 0 });
    await truncate(spec.disk.path, 2 * 1024 ** 2);
    await assert.rejects(startMachine(toolbox, spec, { root }), withCode('vm/disk-changed'));
    await destroyMachine('life', { root });
  });

  test('leaves nothing behind when its disk is not one, when it is interrupted, or when QEMU refuses it', async () => {
    const disk = { kind: 'qcow2', path: spec.disk.path } as const;
    await assert.rejects(startMachine(toolbox, { ...spec, disk }, { root }), withCode('host/command-failed'));
    assert.deepEqual(await readdir(root), []);

    const interrupted = AbortSignal.abort();
    await assert.rejects(
      startMachine(toolbox, spec, { root, signal: interrupted }),
      withCode('cli/interrupted'),
    );
    assert.deepEqual(await readdir(root), []);

    const drive = { path: join(scratch, 'text'), format: 'qcow2', readOnly: true } as const;
    await writeFile(drive.path, 'not a disk');
    const failing = startMachine(toolbox, { ...spec, extraDrives: [drive] }, { root });
    await assert.rejects(
      failing,
      (error) => withCode('vm/qemu-failed')(error) && /qcow2/.test(String(error)),
    );
    assert.deepEqual(await readdir(root), []);
  });
});
