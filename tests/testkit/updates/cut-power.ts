import assert from 'node:assert/strict';
import { kill } from 'node:process';
import { identifyProcess, waitForEnd } from '@plinth/host';
import type { MachineStatus } from '@plinth/local';

const END_LIMIT_MS = 30_000;

/**
 * cutPower kills QEMU. What the guest wrote and did not flush is lost as far as it went to clusters of the disk image that were not
 * in use before: where those lie is in QEMU's memory until a flush (qcow2, cache=writeback). It is gone in any order, as from a
 * drive with a cache. Needs a machine that is not `throw-away`: one of those never flushes.
 */
export async function cutPower(machine: MachineStatus): Promise<void> {
  const { qemu, tpm } = machine.record;
  assert.deepEqual(await identifyProcess(qemu.pid), qemu, 'the machine runs');
  kill(qemu.pid, 'SIGKILL');
  assert.ok(await waitForEnd(qemu, END_LIMIT_MS), 'QEMU did not end');
  // It notices a moment later, and takes its socket away: one that is started before would lose its own.
  if (tpm) assert.ok(await waitForEnd(tpm, END_LIMIT_MS), 'swtpm did not end');
}
