import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { versionState, writeProtectedSlots } from '@plinth/updates';
import fc from 'fast-check';
import { judgeActivate, judgeRollBack } from '../activate/judge-activate.ts';
import { prepareEnd } from '../activate/prepare-end.ts';
import { ModelNode } from '../testing/model-node.ts';
import { findFallBack } from './find-fall-back.ts';
import { runContract } from './run-contract.ts';
import { softTrial } from './soft-trial.ts';

/** What a version does when it is booted. */
const kinds = ['good', 'sick', 'hangs', 'agent-dies'] as const;
type Kind = (typeof kinds)[number];

type Action =
  | { readonly do: 'upgrade' | 'soft-upgrade'; readonly version: string }
  | { readonly do: 'activate' | 'roll-back' | 'power-cycle' | 'restart-agent' };

const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.integer({ min: 1, max: 6 }).map((n): Action => ({ do: 'upgrade', version: `1.${n}` })),
  fc.integer({ min: 1, max: 6 }).map((n): Action => ({ do: 'soft-upgrade', version: `1.${n}` })),
  fc.constantFrom<Action>(
    { do: 'activate' },
    { do: 'roll-back' },
    { do: 'power-cycle' },
    { do: 'restart-agent' },
  ),
);

/** plinthd in one boot, from its start until nothing is left to be decided. @returns whether it reboots the node */
async function liveOneBoot(node: ModelNode, kind: Kind): Promise<boolean> {
  const over = new AbortController();
  const console = { say: () => {} };
  const sys = { nowMs: () => node.boots, run: async () => ({ exitCode: 0, stdout: '', stderr: '' }) };
  const files = { write: async () => {}, remove: async () => {} };
  const known = { store: node.store, stager: node.stager, console, bootId: node.bootId };
  await findFallBack({
    ...{ ...known, sys, files },
    bootEnd: async () => ({ kind: 'abrupt', ask: undefined, evidence: [] }),
    onFound: () => {},
  });
  let reboots = false;
  let upMs = 0;
  await runContract({
    ...{ ...known, signal: over.signal },
    ...(node.soft && {
      soft: softTrial({ ...known, sys, files, upMs: async () => upMs, onFound: () => {} }),
    }),
    deadline: { arm: async () => {}, disarm: async () => {} },
    nowMs: () => node.boots,
    upMs: async () => upMs,
    deadlineMs: () => 10 * 60_000,
    look: async () => [
      {
        ...{ id: 'containerd', expected: 'active', source: '', cause: '', fix: '', critical: true },
        ...{ verdict: kind === 'good' ? 'pass' : 'fail', observed: kind },
      },
    ],
    reboot: async () => {
      reboots = true;
      over.abort();
    },
    sleep: async () => {
      upMs += 60_000;
      // What could not be written is tried again for ever, by a node that is off.
      if (node.isOff) over.abort();
      // It dies in the middle of its trial: nobody decides, systemd's deadline reboots.
      if (kind === 'agent-dies' && upMs > 120_000) {
        reboots = true;
        over.abort();
      }
    },
  });
  return reboots || node.isOff;
}

/** Starts the node until it stays up. */
async function powerOn(node: ModelNode, kindOf: (version: string) => Kind): Promise<void> {
  for (let starts = 0; ; starts++) {
    assert.ok(starts < 12, 'it starts again and again');
    node.restart();
    const kind = kindOf(node.booted.version);
    const counts = versionState(node.disk, node.booted.version) !== 'proven';
    // The watchdog ends it; plinthd never ran.
    if (kind === 'hangs' && counts) continue;
    if (!(await liveOneBoot(node, kind))) return;
  }
}

/** Goes on in the other slot with the same kernel; whatever does not work there ends in a start by the firmware. */
async function goOn(node: ModelNode, kindOf: (version: string) => Kind): Promise<void> {
  node.softReboot();
  const kind = kindOf(node.booted.version);
  if (kind === 'hangs' || (await liveOneBoot(node, kind))) await powerOn(node, kindOf);
}

test('whatever is tried and wherever the power goes, the node comes to stay on a version that proved itself, and says what failed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...kinds), { minLength: 6, maxLength: 6 }),
      fc.array(fc.tuple(actions, fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined })), {
        maxLength: 12,
      }),
      async (byNumber, sequence) => {
        const kindOf = (version: string): Kind =>
          version === '1.0' ? 'good' : (byNumber[Number(version.slice(2)) - 1] ?? 'good');
        const node = new ModelNode('1.0');
        let boot = node.bootId;
        for (const [action, cutAfter] of sequence) {
          node.writesLeft = cutAfter ?? Number.POSITIVE_INFINITY;
          try {
            await carryOut(node, action, kindOf);
          } catch (reason) {
            // Refusals are part of the game, and have a code; so is the end of the power.
            if (!(reason instanceof PlinthError || node.isOff)) throw reason;
          }
          if (node.isOff) await powerOn(node, kindOf);
          node.writesLeft = Number.POSITIVE_INFINITY;
          // What an earlier action came to was looked at then.
          await checkSound(node, kindOf, node.wasCut || node.bootId === boot);
          node.wasCut = false;
          boot = node.bootId;
        }
      },
    ),
    { numRuns: 500 },
  );
});

async function carryOut(node: ModelNode, action: Action, kindOf: (version: string) => Kind): Promise<void> {
  const end = async (how: 'activate' | 'roll-back', version: string, soft = false) => {
    const way = await prepareEnd(
      {
        ...{ store: node.store, stager: node.stager, bootId: node.bootId, nowMs: () => node.boots },
        baseline: async () => ({ notPassing: [], defaultRoutes: [] }),
        layOutNextRoot: async () => {},
      },
      { how, version, ...(soft && { way: 'soft-reboot' }) },
      { askedBy: 'ann', reason: '' },
    );
    await (way === 'soft-reboot' ? goOn(node, kindOf) : powerOn(node, kindOf));
  };
  const activate = async (soft = false) => {
    const { stage } = await node.store.read();
    await end('activate', judgeActivate({ disk: node.disk, stage, kubernetesMinors: [] }, ''), soft);
  };
  switch (action.do) {
    case 'upgrade':
    case 'soft-upgrade': {
      const source = { addresses: [], channel: 'stable' };
      for await (const _ of node.stager.stageUpdate({ source, version: action.version, by: 'ann' }));
      return activate(action.do === 'soft-upgrade');
    }
    case 'activate':
      return activate();
    case 'roll-back':
      return end('roll-back', judgeRollBack({ disk: node.disk, stage: undefined }));
    case 'power-cycle':
      return powerOn(node, kindOf);
    case 'restart-agent':
      assert.equal((await liveOneBoot(node, kindOf(node.booted.version))) && !node.isOff, false);
  }
}

async function checkSound(node: ModelNode, kindOf: (version: string) => Kind, cut: boolean): Promise<void> {
  const { version } = node.booted;
  assert.equal(kindOf(version), 'good', `it stays on ${version}`);
  // What a soft-reboot went to keeps all its tries, and the version before: the firmware may fall back from it.
  if (node.soft) {
    const other = node.slots.find(({ name }) => name !== node.booted.slot);
    assert.equal(versionState(node.disk, version), 'trial');
    assert.equal(versionState(node.disk, other?.version ?? ''), 'proven');
    assert.deepEqual(writeProtectedSlots(node.disk).toSorted(), ['a', 'b']);
  } else assert.equal(versionState(node.disk, version), 'proven');
  const { activated, failed, fallBack } = await node.store.read();
  for (const each of failed) assert.notEqual(each.version, version, 'what runs is not blocked');
  // What was activated runs, or its end was found; or the power went before its entry had its name.
  if (activated && activated.version !== version)
    assert.notEqual(versionState(node.disk, activated.version), 'failed');
  if (fallBack?.bootId === node.bootId) {
    // Power that goes in a trial takes a boot away; an older version has only one.
    assert.ok(cut || kindOf(fallBack.from) !== 'good');
    assert.equal(fallBack.to, version);
    assert.ok(failed.some((each) => each.version === fallBack.from));
    const expected = kindOf(fallBack.from) === 'sick' ? 'update/contract-broken' : 'update/boot-died';
    assert.ok(fallBack.code === expected || cut);
  }
}
