import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  GetIdentityResponseSchema,
  GetMachineResponseSchema,
  GetUpdateResponseSchema,
  HealthContractState,
  UpdatePhase,
  UpdateStageSchema,
} from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';
import { type FollowUpdateOptions, followStage, followTrial, judgeTrial } from './follow-update.ts';

const notes: string[] = [];
const progress = { note: (text: string) => void notes.push(text) } as Progress;
const gone = () => new PlinthError('api/unreachable', 'Cannot reach it', { retryable: true });

/** A node whose answers a test gives. */
function follow(
  node: Partial<FollowUpdateOptions['node']['update']>,
  boots: readonly string[] = ['boot-1'],
): FollowUpdateOptions & { readonly stop: AbortController } {
  const left = [...boots];
  const stop = new AbortController();
  const unused = () => assert.fail('not asked for');
  return {
    ...{ name: 'w1', signal: stop.signal, timeoutMs: 5_000, pollMs: 1, stop },
    node: {
      getIdentity: async () => {
        const bootId = (left.length > 1 ? left.shift() : left[0]) ?? '';
        if (bootId === '') throw gone();
        return create(GetIdentityResponseSchema, { bootId });
      },
      getHealth: unused,
      machine: {
        get: async () => create(GetMachineResponseSchema, {}),
        ...{ reboot: unused, shutdown: unused, reset: unused, restartService: unused },
      },
      update: {
        get: async () => create(GetUpdateResponseSchema, {}),
        ...{
          check: unused,
          stage: unused,
          cancel: unused,
          activate: unused,
          rollBack: unused,
          unblock: unused,
        },
        ...node,
      },
    },
  };
}

const at = (phase: UpdatePhase, doneBytes = 0n) =>
  create(UpdateStageSchema, { version: '1.1', phase, totalBytes: 200n, doneBytes });
const update = (fields: MessageInitShape<typeof GetUpdateResponseSchema>) =>
  create(GetUpdateResponseSchema, fields);

suite('following a staging', () => {
  test('a connection that breaks is made again, for the version that was begun', async () => {
    const asked: string[] = [];
    const options = follow({
      async *stage(version = '') {
        asked.push(version);
        yield at(UpdatePhase.DOWNLOADING, 100n);
        if (asked.length === 1) throw gone();
        yield at(UpdatePhase.STAGED);
      },
    });
    const stage = await followStage(options, '', progress);
    assert.deepEqual([stage.phase, asked], [UpdatePhase.STAGED, ['', '1.1']]);
    assert.ok(notes.includes('downloading 50 %, 0 B fetched, 0 B copied'));
  });

  test('Ctrl-C detaches while the node says nothing, and the error says that it goes on', async () => {
    const options = follow({
      async *stage() {
        yield at(UpdatePhase.DOWNLOADING);
        setImmediate(() => options.stop.abort());
        await new Promise(() => {});
      },
    });
    await assert.rejects(followStage(options, '', progress), {
      code: 'cli/interrupted',
      message: /the node goes on/,
      hint: /same command again/,
    });
  });

  test('what the node refuses is not asked again', async () => {
    let asked = 0;
    const options = follow({
      // biome-ignore lint/correctness/useYield: it refuses before it yields
      async *stage() {
        asked++;
        throw new PlinthError('update/no-policy', 'Cannot look for versions');
      },
    });
    await assert.rejects(followStage(options, '', progress), { code: 'update/no-policy' });
    assert.equal(asked, 1);
  });
});

suite('following a trial', () => {
  const running = { version: '1.1', state: HealthContractState.RUNNING };
  const trial = update({ booted: { version: '1.1' }, contract: running });
  const kept = update({
    booted: { version: '1.1' },
    contract: { ...running, state: HealthContractState.HELD, checks: [{ id: 'containerd' }] },
  });
  const fellBack = update({
    booted: { version: '1.0' },
    lastFallBack: { fromVersion: '1.1', reason: { message: 'it hung', hint: 'Read the journal.' } },
  });

  test('through the reboot and the time away until it is kept', async () => {
    const answers = [update({}), trial, kept];
    const options = follow({ get: async () => answers.shift() ?? kept }, ['boot-1', '', '', 'boot-2']);
    const { checks } = await followTrial(options, '1.1', { bootId: 'boot-1' }, progress);
    assert.deepEqual(
      checks.map(({ id }) => id),
      ['containerd'],
    );
    assert.ok(notes.some((note) => note.startsWith('away for')));
  });

  test('a node that came back to another version failed, with its own reason', () => {
    assert.throws(() => judgeTrial(fellBack, '1.1', 'w1'), {
      code: 'update/fell-back',
      message: /version 1\.1 on node "w1": it runs 1\.0: it hung/,
      hint: 'Read the journal.',
    });
    const still = update({ booted: { version: '1.0' }, staged: { version: '1.1' } });
    assert.throws(() => judgeTrial(still, '1.1', 'w1'), {
      code: 'machine/act-failed',
      message: /still staged/,
    });
    assert.equal(judgeTrial(trial, '1.1', 'w1'), undefined);
    assert.deepEqual(judgeTrial(update({ booted: { version: '1.1' } }), '1.1', 'w1'), []);
  });

  test('an end that was given up is told in the words of the node', async () => {
    const options = follow({ get: async () => update({}) });
    const failure = {
      code: 'machine/drain-failed',
      message: 'Cannot drain the node: pods stay',
      hint: 'Wait.',
    };
    const told = create(GetMachineResponseSchema, { act: { failure } });
    const node = { ...options.node, machine: { ...options.node.machine, get: async () => told } };
    await assert.rejects(followTrial({ ...options, node }, '1.1', { bootId: 'boot-1' }, progress), {
      code: 'machine/drain-failed',
      message: /pods stay \(node "w1"\)/,
    });
  });

  test('a node that never comes back is not waited for without an end', async () => {
    const options = { ...follow({}, ['']), timeoutMs: 20 };
    await assert.rejects(followTrial(options, '1.1', { bootId: 'boot-1' }, progress), {
      code: 'api/timeout',
    });
  });
});
