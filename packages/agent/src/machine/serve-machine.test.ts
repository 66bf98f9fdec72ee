import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, createClient, createRouterTransport, type Interceptor } from '@connectrpc/connect';
import { MachineActState, MachineService } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import type { ClusterDuty } from '../kubernetes/cluster-duty.ts';
import { as, failure } from '../kubernetes/testing/served.ts';
import type { AuditRecord } from '../server/audit.ts';
import { roles } from '../server/caller.ts';
import { callerKey, guard } from '../server/guard.ts';
import { memoryStore } from '../sys/state-store.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { type ServeMachineParts, serveMachine } from './serve-machine.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const ROOT_HASH = '5a'.repeat(32);
const LOADED = 'LoadState=loaded\nActiveState=active\nResult=success\nConditionResult=yes\n';
const show = (unit: string) =>
  `/usr/bin/systemctl show --no-pager --property=LoadState,ActiveState,SubState,Result,ConditionResult,InvocationID,Job ${unit}`;

const identify: Interceptor = (next) => (request) => {
  const role = roles.find((name) => name === request.header.get('x-role'));
  if (role) request.contextValues.set(callerKey, { ok: true, caller: { commonName: 'ann', role } });
  return next(request);
};

/** A node behind the guard; its end is written down and does not happen. */
async function node(change: Partial<ServeMachineParts> = {}, duty: Partial<ClusterDuty> = {}) {
  const ended: string[] = [];
  const marks: string[] = [];
  const records: AuditRecord[] = [];
  const stop = new AbortController();
  const served = await serveMachine({
    sys: fakeSys({
      files: {
        ...{ [BOOT_ID]: 'boot-1\n', '/proc/uptime': '60.0 60.0\n' },
        '/proc/cmdline': `root=/dev/mapper/root roothash=${ROOT_HASH}\n`,
      },
      programs: {
        [show('systemd-timesyncd.service')]: LOADED,
        [show('kubelet.service')]: 'LoadState=not-found\n',
        '/usr/bin/systemctl reset-failed systemd-timesyncd.service': '',
        '/usr/bin/systemctl restart --no-block systemd-timesyncd.service': '',
      },
    }),
    ...{ store: { ...memoryStore('a test'), volatileBecause: undefined }, console: { say: () => {} } },
    ...{ nodeName: 'cp1', configSource: 'persisted', signal: stop.signal },
    duty: {
      runningAct: () => undefined,
      member: async () => undefined,
      judgeOwnLoss: async () => ({ ok: true }),
      ...duty,
    },
    ...{ isHealthy: async () => true, otherAct: async () => undefined },
    endSystem: async (how) => {
      ended.push(how);
      stop.abort();
    },
    resetMark: { set: async () => void marks.push('set'), clear: async () => void marks.push('clear') },
    ...change,
  });
  const transport = createRouterTransport(served.routes, {
    router: { interceptors: [identify, guard((record) => void records.push(record), Date.now)] },
  });
  return { client: createClient(MachineService, transport), ended, marks, records, served };
}

const member: Partial<ClusterDuty> = {
  member: async () => ({ role: 'control-plane', cluster: 'prod' }),
  judgeOwnLoss: async () => ({ ok: false, reason: 'cp1 is the only member', lastMember: true }),
};

suite('MachineService', () => {
  test('an operator reboots; the act and its reason are stored, then the system ends', async () => {
    const { client, ended } = await node();
    const { act } = await client.reboot({ reason: 'why not' }, as('plinth:operator'));
    assert.deepEqual([act?.askedBy, act?.reason, act?.state], ['ann', 'why not', MachineActState.ENDING]);
    assert.deepEqual(ended, [], 'the answer comes first');
    await eventually(() => ended.length > 0);
    assert.deepEqual(ended, ['reboot']);
  });

  test('a reboot that is permitted for one start is refused in another boot, for another system, and too late', async () => {
    const { client, ended } = await node();
    const authorization = {
      ...{ bootId: 'boot-1', rootHash: ROOT_HASH, nonce: 'n-1' },
      notAfter: timestampFromMs(Date.UTC(2026, 10, 22)),
    };
    for (const [code, change] of [
      ['machine/authorization-stale', { bootId: 'boot-0' }],
      ['machine/authorization-stale', { rootHash: 'f0'.repeat(32) }],
      ['machine/authorization-late', { notAfter: timestampFromMs(Date.UTC(2026, 10, 20)) }],
      ['machine/bad-request', { nonce: '' }],
    ] as const) {
      const sent = { authorization: { ...authorization, ...change } };
      assert.equal((await failure(client.reboot(sent, as('plinth:operator')))).code, code);
    }
    assert.deepEqual(ended, []);
    await client.reboot({ authorization }, as('plinth:operator'));
    await eventually(() => assert.deepEqual(ended, ['reboot']));
  });

  test('each act needs its role', async () => {
    const { client } = await node();
    const denied = async (work: Promise<unknown>) =>
      assert.equal((await failure(work)).status, Code.PermissionDenied);
    await denied(client.reboot({}, as('plinth:reader')));
    await denied(client.restartService({ service: 'plinthd' }, as('plinth:reader')));
    await denied(client.shutdown({}, as('plinth:operator')));
    await denied(client.reset({ confirm: 'cp1' }, as('plinth:operator')));
    assert.equal((await client.getMachine({}, as('plinth:reader'))).act, undefined);
  });

  test('a control plane that etcd needs stays, unless its name is typed, and that is on record', async () => {
    const { client, ended, records } = await node({}, member);
    const refused = await failure(client.reboot({ override: 'cp2' }, as('plinth:admin')));
    assert.deepEqual([refused.code, refused.status], ['machine/quorum-at-risk', Code.FailedPrecondition]);
    assert.match(refused.message, /the only member/);
    const { act } = await client.shutdown({ override: 'cp1', reason: 'move' }, as('plinth:admin'));
    assert.equal(act?.overridden, 'cp1 is the only member');
    assert.ok(
      records.some((record) => record.arguments.includes('cp1') && record.arguments.includes('move')),
    );
    await eventually(() => ended.length > 0);
    assert.deepEqual(ended, ['poweroff']);
  });

  test('a reset needs the name, and a node that has left', async () => {
    const inCluster = await node({}, member);
    assert.equal(
      (await failure(inCluster.client.reset({ confirm: 'cp' }, as('plinth:admin')))).code,
      'machine/not-confirmed',
    );
    assert.equal(
      (await failure(inCluster.client.reset({ confirm: 'cp1' }, as('plinth:admin')))).code,
      'machine/still-member',
    );
    assert.deepEqual(inCluster.marks, []);
    const alone = await node();
    const { configIsLost } = await alone.client.reset({ confirm: 'cp1' }, as('plinth:admin'));
    assert.equal(configIsLost, true);
    await eventually(() => alone.ended.length > 0);
    assert.deepEqual([alone.marks, alone.ended], [['set'], ['reboot']]);
  });

  test('nothing ends while Kubernetes or a config is at work', async () => {
    const acting = await node({}, { runningAct: () => 'upgrade of Kubernetes' });
    const trying = await node({ otherAct: async () => 'the trial of config revision 3' });
    for (const { client } of [acting, trying]) {
      assert.equal((await failure(client.reboot({}, as('plinth:admin')))).code, 'machine/busy');
      assert.equal(
        (await failure(client.restartService({ service: 'containerd' }, as('plinth:admin')))).code,
        'machine/busy',
      );
    }
  });

  test('a node that does not know whether it is a member does not end', async () => {
    const unknown = async () => {
      throw new Error('unreadable');
    };
    const { client, ended } = await node({}, { member: unknown });
    await assert.rejects(client.reboot({}, as('plinth:admin')));
    assert.deepEqual(ended, []);
  });

  test('only services of the system that are there are restarted', async () => {
    const { client } = await node();
    await client.restartService({ service: 'systemd-timesyncd.service' }, as('plinth:operator'));
    for (const service of ['dbus-broker', '../x', '-a', 'kubelet', ''])
      assert.equal(
        (await failure(client.restartService({ service }, as('plinth:operator')))).code,
        'machine/not-a-service',
        service,
      );
  });

  test('how the last boot ended is unknown where nothing can be seen, never in good order', async () => {
    const { served } = await node();
    assert.equal((await served.bootEnd()).kind, 'unknown');
  });
});
