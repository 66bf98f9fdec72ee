import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { planActivate, versionState } from '@plinth/updates';
import type { CheckResult } from '../../checks/check.ts';
import { ModelNode } from '../testing/model-node.ts';
import { findFallBack } from './find-fall-back.ts';
import { runContract } from './run-contract.ts';
import { softTrial } from './soft-trial.ts';

const KERNEL_UP_MS = 90 * 24 * 3_600_000;

/** A node that has gone from 1.0 to 1.1 by soft-reboot, three months after its kernel started. */
async function softNode() {
  const node = new ModelNode('1.0');
  const source = { addresses: [], channel: 'stable' };
  for await (const _ of node.stager.stageUpdate({ source, version: '1.1', by: 'ann' }));
  await node.stager.changeEntries((disk) => planActivate(disk, '1.1', 3));
  node.softReboot();
  const said: string[] = [];
  const asked: string[] = [];
  const kept = new Map<string, string>();
  const console = { say: (line: string) => void said.push(line) };
  let upMs = KERNEL_UP_MS + 20_000;
  const sys = {
    nowMs: () => 1_700_000_000_000 + upMs,
    async run(program: string, args: readonly string[]) {
      asked.push([program, ...args].join(' '));
      const answer = args.includes('show')
        ? `UserspaceTimestampMonotonic=${KERNEL_UP_MS * 1000}\n`
        : 'it is sick\n';
      return { exitCode: 0, stdout: answer, stderr: '' };
    },
  };
  const files = {
    write: async (name: string, bytes: Uint8Array) => void kept.set(name, Buffer.from(bytes).toString()),
    remove: async () => {},
  };
  const deadline = { armed: [] as number[], disarmed: 0 };
  const live = (verdict: CheckResult['verdict']) => {
    const over = new AbortController();
    const common = { store: node.store, stager: node.stager, console };
    return runContract({
      ...{ ...common, bootId: node.bootId, signal: over.signal, nowMs: sys.nowMs },
      soft: softTrial({ ...common, sys, files, bootId: 'kernel', upMs: async () => upMs, onFound: () => {} }),
      deadline: {
        arm: async (ms) => void deadline.armed.push(ms),
        disarm: async () => void deadline.disarmed++,
      },
      upMs: async () => upMs,
      deadlineMs: () => 10 * 60_000,
      look: async () => [
        {
          ...{ id: 'containerd', verdict, observed: '', expected: '', source: '', cause: '', fix: '' },
          critical: true,
        },
      ],
      reboot: async () => {
        over.abort();
        node.restart();
      },
      sleep: async () => {
        upMs += 60_000;
      },
    });
  };
  return { node, said, asked, kept, deadline, live, sys, files, console };
}

suite('a trial after a soft-reboot', () => {
  test('healthy: nothing reboots, the entry keeps its tries, and the version before stays', async () => {
    const { node, said, deadline, live } = await softNode();
    await live('pass');
    assert.equal(node.booted.version, '1.1');
    assert.ok(node.files.has('plinth_1.1_x86-64+3-0.efi'), [...node.files].join());
    assert.deepEqual([deadline.armed, deadline.disarmed], [[KERNEL_UP_MS + 600_000], 1]);
    assert.match(said.at(-1) ?? '', /healthy; it is kept once the firmware has started it too/);
    // plinthd starts again: decided is decided.
    await live('fail');
    assert.equal(node.booted.version, '1.1');
    // The firmware starts it: a trial as any other, which is blessed.
    node.restart();
    assert.deepEqual([node.booted.version, node.soft], ['1.1', false]);
    assert.ok(node.files.has('plinth_1.1_x86-64+2-1.efi'));
  });

  test('sick: the time counts from the soft-reboot, the version is left at once, and the reason is kept', async () => {
    const { node, kept, live, asked, sys, files, console } = await softNode();
    await live('fail');
    assert.deepEqual([node.booted.version, node.soft], ['1.0', false]);
    assert.equal(versionState(node.disk, '1.1'), 'none');
    const { failed, fallBack } = await node.store.read();
    const reason = 'its health contract did not hold within 10 min after a soft-reboot: containerd';
    assert.partialDeepStrictEqual(fallBack, {
      from: '1.1',
      to: '1.0',
      reason,
      code: 'update/contract-broken',
    });
    assert.deepEqual(
      failed.map((each) => [each.version, each.reason, each.code]),
      [['1.1', reason, 'update/fell-back']],
    );
    assert.deepEqual(fallBack?.boots[0]?.journal, ['it is sick']);
    assert.equal(kept.get('update/failed/1.1/kernel.log'), 'it is sick\n');
    const began = Math.floor((1_700_000_000_000 + KERNEL_UP_MS) / 1000);
    assert.ok(
      asked.some((line) => line.includes(`--since=@${began} --boot`)),
      asked.join('\n'),
    );
    // The boot that follows finds nothing else, and forgets nothing.
    const found = await findFallBack({
      ...{ sys, files, store: node.store, stager: node.stager, console, bootId: node.bootId },
      bootEnd: async () => ({ kind: 'reboot', ask: undefined, evidence: [] }),
      onFound: () => {},
    });
    assert.equal(found, undefined);
    assert.deepEqual(
      (await node.store.read()).failed.map(({ version }) => version),
      ['1.1'],
    );
  });

  test('sick, and its entry cannot be taken away: the boot loader tries it, and counts', async () => {
    const { node, live, said } = await softNode();
    node.entriesFail = 'read-only file system';
    await live('fail');
    assert.deepEqual([node.booted.version, node.soft], ['1.1', false]);
    assert.ok(node.files.has('plinth_1.1_x86-64+2-1.efi'));
    assert.ok(said.some((line) => /read-only file system/.test(line)));
  });
});
