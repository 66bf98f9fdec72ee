import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { createClient, createRouterTransport, type Interceptor } from '@connectrpc/connect';
import { BootState, StartChoice, UpdatePhase, UpdateService } from '@plinth/api';
import type { UpdatePolicy } from '@plinth/config';
import { eventually } from '@plinth/host/testing';
import { planActivate, type StartWay } from '@plinth/updates';
import { as, failure } from '../../kubernetes/testing/served.ts';
import { serveMachine } from '../../machine/serve-machine.ts';
import type { AuditRecord } from '../../server/audit.ts';
import { roles } from '../../server/caller.ts';
import { callerKey, guard } from '../../server/guard.ts';
import { memoryStore } from '../../sys/state-store.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { prepareEnd } from '../activate/prepare-end.ts';
import { ModelNode, rootHashOf } from '../testing/model-node.ts';
import { updateService } from './update-service.ts';

const policy: UpdatePolicy = {
  ...{ channel: 'stable', sources: ['https://updates.example'], hotLayers: 'manual' },
  health: { deadlineMinutes: 10, checks: [] },
};
const identify: Interceptor = (next) => (request) => {
  const role = roles.find((name) => name === request.header.get('x-role'));
  if (role) request.contextValues.set(callerKey, { ok: true, caller: { commonName: 'ann', role } });
  return next(request);
};

/** A node behind the guard; the end of its system is a start of the model. */
async function node(
  change: {
    readonly policy?: UpdatePolicy;
    readonly minors?: readonly string[];
    readonly otherAct?: string;
    readonly soft?: boolean;
    readonly rootFails?: boolean;
    readonly startWay?: StartWay;
  } = {
    policy,
  },
) {
  const model = new ModelNode('1.0');
  const stop = new AbortController();
  const records: AuditRecord[] = [];
  const ended: string[] = [];
  const sys = fakeSys({
    files: { '/proc/sys/kernel/random/boot_id': 'boot-1\n', '/proc/uptime': '60.0 60.0\n' },
  });
  const store = { ...memoryStore('a test'), volatileBecause: undefined };
  const { machine } = await serveMachine({
    ...{ sys, store, console: { say: () => {} }, nodeName: 'w1', configSource: 'persisted' },
    signal: stop.signal,
    duty: {
      runningAct: () => undefined,
      member: async () => undefined,
      judgeOwnLoss: async () => ({ ok: true }),
    },
    ...{ isHealthy: async () => true, otherAct: async () => change.otherAct },
    prepareEnd: (update, act) =>
      prepareEnd(
        {
          ...{ store: model.store, stager: model.stager, bootId: 'boot-1', nowMs: () => 1000 },
          baseline: async () => ({ notPassing: [], defaultRoutes: ['IPv4'] }),
          layOutNextRoot: async () => {
            if (change.rootFails) throw new Error('no such device');
          },
        },
        update,
        act,
      ),
    endSystem: async (how) => {
      ended.push(how);
      if (how === 'soft-reboot') model.softReboot();
      else model.restart();
      stop.abort();
    },
    resetMark: { set: async () => {}, clear: async () => {} },
  });
  const routes = updateService({
    ...{ stager: model.stager, store: model.store, machine, nowMs: () => 1000 },
    start: { bootId: 'boot-1', startId: change.soft ? 'boot-1+1' : 'boot-1', soft: change.soft ?? false },
    startWays: { startWay: async () => change.startWay ?? { way: 'reboot', reasons: ['kernel 1 → 2'] } },
    firmwareRootHash: async () => rootHashOf('1.0'),
    ...{ policy: () => change.policy, kubernetesMinors: async () => change.minors ?? [] },
    ...{ volatileBecause: undefined, assertBootable: async () => {} },
  });
  const transport = createRouterTransport(routes, {
    router: { interceptors: [identify, guard((record) => void records.push(record), Date.now)] },
  });
  const client = createClient(UpdateService, transport);
  const stage = async (version: string) => {
    const phases: UpdatePhase[] = [];
    for await (const { stage: each } of client.stageUpdate({ version }, as('plinth:operator')))
      phases.push(each?.phase ?? UpdatePhase.UNSPECIFIED);
    return phases;
  };
  return { model, client, stage, ended, records };
}

suite('UpdateService', () => {
  test('a permission for one start names the root hash of the version that is staged, or gone back to', async () => {
    const { model, client, stage, ended } = await node();
    await stage('1.1');
    const permit = (version: string) => ({
      ...{ bootId: 'boot-1', rootHash: rootHashOf(version), nonce: 'n-1' },
      notAfter: timestampFromMs(Date.UTC(2026, 11, 1)),
    });
    const activate = (version: string, bootId = 'boot-1') =>
      client.activateUpdate({ authorization: { ...permit(version), bootId } }, as('plinth:operator'));
    for (const refused of [activate('1.0'), activate('1.1', 'boot-0')])
      assert.equal((await failure(refused)).code, 'machine/authorization-stale');
    assert.deepEqual(ended, []);
    await activate('1.1');
    await eventually(() => assert.deepEqual(ended, ['reboot']));
    assert.equal(model.booted.version, '1.1');
  });

  test('stage, activate: the node reboots into the version on trial; the one before is there to go back to', async () => {
    const { model, client, stage, ended } = await node();
    assert.equal((await stage('1.1')).at(-1), UpdatePhase.STAGED);
    const staged = await client.getUpdate({}, as('plinth:reader'));
    assert.equal(staged.phase, UpdatePhase.STAGED);
    const { totalBytes, doneBytes, fetchedBytes, copiedBytes } = staged.stage ?? {};
    assert.deepEqual([totalBytes, doneBytes, fetchedBytes, copiedBytes], [100n, 100n, 10n, 90n]);
    assert.deepEqual([staged.staged?.version, staged.staged?.slot], ['1.1', 'b']);
    const { version } = await client.activateUpdate(
      { version: '1.1', reason: 'news' },
      as('plinth:operator'),
    );
    assert.equal(version, '1.1');
    await eventually(() => assert.deepEqual(ended, ['reboot']));
    assert.equal(model.booted.version, '1.1');
    const after = await client.getUpdate({}, as('plinth:reader'));
    assert.partialDeepStrictEqual(after.booted, { version: '1.1', state: BootState.TRIAL, triesLeft: 2 });
    assert.equal(after.rollback?.version, '1.0');
    assert.deepEqual(after.writeProtectedSlots, ['b', 'a']);
    const { activated } = await model.store.read();
    assert.partialDeepStrictEqual(activated, { version: '1.1', from: '1.0', by: 'ann', reason: 'news' });
  });

  test('a version with the same kernel goes by soft-reboot where that is asked for; its entry keeps its tries', async () => {
    const { model, client, stage, ended } = await node({ policy, startWay: { way: 'soft-reboot' } });
    await stage('1.1');
    assert.equal((await client.getUpdate({}, as('plinth:reader'))).startWay?.softReboot, true);
    const { startWay } = await client.activateUpdate({ start: StartChoice.FASTEST }, as('plinth:operator'));
    assert.equal(startWay?.softReboot, true);
    await eventually(() => assert.deepEqual(ended, ['soft-reboot']));
    const { booted, rollback } = await client.getUpdate({}, as('plinth:reader'));
    assert.partialDeepStrictEqual(booted, {
      version: '1.1',
      state: BootState.TRIAL,
      triesLeft: 3,
      triesDone: 0,
    });
    assert.equal(rollback?.version, '1.0');
    assert.ok(model.files.has('plinth_1.1_x86-64+3-0.efi'));
  });

  test('a full reboot when nobody asks for the fastest way, when the kernel is another, or when the root cannot be laid out', async () => {
    const soft: StartWay = { way: 'soft-reboot' };
    const cases = [
      { change: { policy, startWay: soft }, start: StartChoice.UNSPECIFIED },
      { change: { policy, startWay: soft }, start: StartChoice.FULL_REBOOT },
      { change: { policy }, start: StartChoice.FASTEST },
      { change: { policy, startWay: soft, rootFails: true }, start: StartChoice.FASTEST },
    ];
    for (const { change, start } of cases) {
      const { client, stage, ended } = await node(change);
      await stage('1.1');
      const { startWay } = await client.activateUpdate({ start }, as('plinth:operator'));
      assert.equal(startWay?.softReboot, change.rootFails ?? false);
      assert.equal(startWay?.reasons.length, change.rootFails ? 0 : 1);
      await eventually(() => assert.deepEqual(ended, ['reboot']));
    }
  });

  test('after a soft-reboot nothing is staged or activated until the firmware has started the version', async () => {
    const { model, client, stage } = await node({ policy, soft: true });
    for await (const _ of model.stager.stageUpdate({
      ...{ source: { addresses: [], channel: 'stable' }, version: '1.1', by: 'ann' },
    }));
    await model.stager.changeEntries((disk) => planActivate(disk, '1.1', 3));
    model.softReboot();
    assert.equal((await client.getUpdate({}, as('plinth:reader'))).firmwareStarted, '1.0');
    assert.equal((await failure(stage('1.2'))).code, 'update/soft-started');
    assert.equal(
      (await failure(client.activateUpdate({}, as('plinth:operator')))).code,
      'update/soft-started',
    );
  });

  test('roll back sticks: the version that was left is blocked, with who and why', async () => {
    const { model, client, ended } = await node();
    // It runs 1.1, proven, beside 1.0.
    for await (const _ of model.stager.stageUpdate({
      ...{ source: { addresses: [], channel: 'stable' }, version: '1.1', by: 'ann' },
    }));
    model.files.add('plinth_1.1_x86-64.efi');
    for (const file of model.files) if (file.endsWith('.staged')) model.files.delete(file);
    model.restart();
    assert.equal(model.booted.version, '1.1');
    const { fromVersion, toVersion } = await client.rollBack({ reason: 'slow' }, as('plinth:operator'));
    assert.deepEqual([fromVersion, toVersion], ['1.1', '1.0']);
    await eventually(() => assert.deepEqual(ended, ['reboot']));
    assert.equal(model.booted.version, '1.0');
    const after = await client.getUpdate({}, as('plinth:reader'));
    assert.partialDeepStrictEqual(after.blocked, [
      { version: '1.1', blockedBy: 'ann', reason: { code: 'update/rolled-back' } },
    ]);
    await client.unblockVersion({ version: '1.1' }, as('plinth:operator'));
    assert.deepEqual((await client.getUpdate({}, as('plinth:reader'))).blocked, []);
    assert.equal(
      (await failure(client.unblockVersion({ version: '1.1' }, as('plinth:operator')))).code,
      'update/not-blocked',
    );
  });

  test('what stands in the way has a code', async () => {
    const plain = await node();
    const code = async (call: Promise<unknown>) => (await failure(call)).code;
    assert.equal(await code(plain.client.activateUpdate({}, as('plinth:operator'))), 'update/nothing-staged');
    assert.equal(await code(plain.client.rollBack({}, as('plinth:operator'))), 'update/no-rollback');
    await plain.stage('1.1');
    assert.equal(
      await code(plain.client.activateUpdate({ version: '1.2' }, as('plinth:operator'))),
      'update/other-staged',
    );
    assert.equal(await code((await node({})).stage('1.1')), 'update/no-policy');
    const busy = await node({ policy, otherAct: 'upgrade of Kubernetes' });
    await busy.stage('1.1');
    assert.equal(await code(busy.client.activateUpdate({}, as('plinth:operator'))), 'machine/busy');
    assert.deepEqual([busy.ended, [...busy.model.files].length], [[], 2]);
  });

  test('a version that was not made for the Kubernetes of the node is not activated', async () => {
    const { model, client, stage, ended } = await node({ policy, minors: ['1.36'] });
    await stage('1.1');
    await model.store.change((state) => ({
      ...state,
      ...(state.stage && { stage: { ...state.stage, kubernetes: ['1.37', '1.38'] } }),
    }));
    const { code, message } = await failure(client.activateUpdate({}, as('plinth:operator')));
    assert.equal(code, 'update/kubernetes-skew');
    assert.match(message, /runs Kubernetes 1\.36, the version is for 1\.37, 1\.38/);
    assert.deepEqual(ended, []);
  });

  test('a fall-back that an older version stored, in fractions of milliseconds, is told all the same', async () => {
    const { model, client } = await node();
    const boots = [{ bootId: 'b', beganAtMs: 1700000000433.227, endedAtMs: 1700000000500.5, journal: [] }];
    await model.store.change((state) => ({
      ...state,
      fallBack: {
        ...{ from: '1.1', to: '1.0', foundAtMs: 1700000000600.25, bootId: 'b', reason: 'sick', tries: 1 },
        ...{ code: 'update/contract-broken', boots, checks: [] },
      },
    }));
    const { lastFallBack } = await client.getUpdate({}, as('plinth:reader'));
    assert.equal(lastFallBack?.boots[0]?.beganAt?.nanos, 433_000_000);
  });

  test('what is staged is taken back, before and after it was activated', async () => {
    const { model, client, stage } = await node();
    assert.equal((await client.cancelUpdate({}, as('plinth:operator'))).version, '');
    await stage('1.1');
    assert.equal((await client.cancelUpdate({}, as('plinth:operator'))).version, '1.1');
    assert.equal((await client.getUpdate({}, as('plinth:reader'))).staged, undefined);
    assert.deepEqual([...model.files], ['plinth_1.0_x86-64.efi']);
  });

  test('a boot entry that cannot be written: nothing reboots, and the act says why', async () => {
    const { model, client, stage, ended } = await node();
    await stage('1.1');
    model.entriesFail = 'read-only file system';
    const { act } = await client.activateUpdate({}, as('plinth:operator'));
    assert.ok(act);
    await eventually(async () => {
      const { phase, staged } = await client.getUpdate({}, as('plinth:reader'));
      assert.deepEqual([phase, staged?.version], [UpdatePhase.STAGED, '1.1']);
    });
    assert.deepEqual(ended, []);
  });

  test('why no update: without a policy, before the first question, and by what the channel says', async () => {
    const reasons = async (made: Awaited<ReturnType<typeof node>>) =>
      (await made.client.getUpdate({}, as('plinth:reader'))).next?.reasons.map(({ code }) => code);
    assert.deepEqual(await reasons(await node({})), ['update/no-policy']);
    const asked = await node();
    assert.deepEqual(await reasons(asked), ['update/never-checked']);
    asked.model.offered = ['1.0'];
    const { next } = await asked.client.checkUpdate({}, as('plinth:operator'));
    assert.deepEqual(
      next?.reasons.map(({ code }) => code),
      ['update/up-to-date'],
    );
    assert.deepEqual(await reasons(asked), ['update/up-to-date']);
    // Another version runs: the answer of before says nothing any more.
    asked.model.booted = { slot: 'a', version: '0.9' };
    asked.model.slots[0] = { ...asked.model.slots[0], version: '0.9' };
    assert.deepEqual(await reasons(asked), ['update/never-checked']);
  });

  test('readers look, operators act, and what they named is in the record', async () => {
    const { client, stage, records } = await node();
    await assert.rejects(async () => {
      for await (const _ of client.stageUpdate({ version: '1.1' }, as('plinth:reader')));
    }, /operator/);
    await assert.rejects(client.activateUpdate({}, as('plinth:reader')), /operator/);
    await assert.rejects(client.rollBack({}, as('plinth:reader')), /operator/);
    await stage('1.1');
    assert.ok(
      records.some(
        ({ method, arguments: args }) => method === 'UpdateService.StageUpdate' && /1\.1/.test(args),
      ),
    );
  });
});
