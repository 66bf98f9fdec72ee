import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { ActState, InvitationSchema, Membership, NodeRole } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { eventually } from '@plinth/host/testing';
import { completeClusterSpec } from './cluster-spec.ts';
import { planBootstrap } from './plans/plan-bootstrap.ts';
import { fakeNode, NODE_ID, variable } from './testing/fake-node.ts';
import { as, failure, forgotten, serve } from './testing/served.ts';

const admin = as('plinth:admin');
const cluster = { name: 'demo' };

test('bootstrap leads to a member, and a second one is refused', async () => {
  const node = fakeNode();
  const { client, kubernetes } = await serve(node);
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  const state = await client.getKubernetes({}, as('plinth:reader'));
  assert.deepEqual(
    [state.membership, state.role, state.version, state.nodeAddress, state.act?.state],
    [Membership.MEMBER, NodeRole.CONTROL_PLANE, '1.37.1', '192.0.2.1', ActState.DONE],
  );
  assert.equal(state.cluster?.podNetwork, '10.244.0.0/16');
  assert.deepEqual(node.ran, [
    'restart systemd-sysext.service',
    'restart plinth-images.service',
    'start plinth-kubeadm-init.service',
    'start kubelet.service',
    'restart plinth-addons.service',
    'start kubelet.service',
  ]);
  assert.deepEqual(node.entered, [
    { role: 'control-plane', nodeAddress: '192.0.2.1', apiServers: ['192.0.2.1:6443'] },
  ]);
  assert.equal(
    (await node.store.read('kubernetes/addons/dns.yaml'))?.toString(),
    `# ${variable('…')}\nip: 10.96.0.10\n`,
  );
  assert.equal((await node.store.read('kubernetes/cni.conflist.template'))?.toString(), 'mtu 1450');
  assert.equal(await node.store.read('kubernetes/kubeadm.yaml'), undefined);
  const again = await failure(client.bootstrap({ cluster }, admin));
  assert.deepEqual([again.status, again.code], [Code.FailedPrecondition, 'kubernetes/already-member']);
  assert.notEqual(again.hint, '');
});

test('a failed bootstrap is told, and calling again goes on after a reset', async () => {
  const node = fakeNode();
  node.failing.add('plinth-kubeadm-init.service');
  const { client, kubernetes } = await serve(node);
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  const state = await client.getKubernetes({}, admin);
  assert.deepEqual(
    [state.membership, state.act?.state, state.act?.failure?.code],
    [Membership.PENDING, ActState.FAILED, 'kubernetes/unit-failed'],
  );
  assert.ok(node.lines.some((line) => line.startsWith('bootstrap failed at init: ')));
  const key = await node.store.read('kubernetes/api-server/encryption.yaml');
  node.failing.clear();
  node.ran.length = 0;
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  assert.deepEqual(node.ran, [
    'restart plinth-kubeadm-reset.service',
    'start plinth-kubeadm-init.service',
    'start kubelet.service',
    'restart plinth-addons.service',
    'start kubelet.service',
  ]);
  assert.equal(kubernetes.acts.current()?.state, 'done');
  assert.deepEqual(await node.store.read('kubernetes/api-server/encryption.yaml'), key);
});

test('a layer the node does not trust is given back, and a trusted one is taken afterwards', async () => {
  const node = fakeNode();
  node.distrusted.push('1.37.1');
  const { client, kubernetes } = await serve(node);
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.failure?.code, 'kubernetes/layer-refused');
  assert.deepEqual([node.chosen, node.merged], [undefined, undefined]);
  node.distrusted.length = 0;
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  assert.deepEqual([kubernetes.acts.current()?.state, node.merged], ['done', '1.37.1']);
});

test('plinthd that starts anew starts the kubelet of a member', async () => {
  const node = fakeNode();
  const { client, kubernetes } = await serve(node);
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  node.ran.length = 0;
  await node.open();
  await eventually(() =>
    assert.deepEqual(node.ran, ['start plinth-images.service', 'start kubelet.service']),
  );
  assert.equal(node.entered.length, 2);
});

test('every other method is for admins', async () => {
  const { client } = await serve(fakeNode());
  for (const role of ['plinth:operator', 'plinth:reader'] as const) {
    await client.getKubernetes({}, as(role));
    for (const call of [
      client.bootstrap({ cluster }, as(role)),
      client.inviteNode({}, as(role)),
      client.join({}, as(role)),
      client.upgrade({}, as(role)),
      client.leave({}, as(role)),
      client.forgetNode({}, as(role)),
      client.getKubeconfig({}, as(role)),
    ])
      assert.equal((await failure(call)).status, Code.PermissionDenied);
  }
});

function invitation(changes: Readonly<Record<string, unknown>> = {}) {
  return create(InvitationSchema, {
    nodeId: NODE_ID,
    nodeName: 'node-1',
    role: NodeRole.WORKER,
    nodeAddress: '192.0.2.1',
    cluster,
    kubernetesVersion: '1.37.1',
    apiServers: ['192.0.2.9:6443'],
    token: 'abcdef.0123456789abcdef',
    caKeyHash: `sha256:${'cd'.repeat(32)}`,
    expiresAt: timestampFromMs(Date.UTC(2026, 10, 21) + 60_000),
    ...changes,
  });
}

test('a worker joins, and nothing secret of the invitation stays', async () => {
  const node = fakeNode();
  const { client, kubernetes } = await serve(node);
  await client.join({ invitation: invitation() }, admin);
  assert.equal(JSON.stringify(kubernetes.acts.current()).includes('abcdef.'), false);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.state, 'done');
  assert.deepEqual(node.ran.slice(-2), ['start plinth-kubeadm-join.service', 'start kubelet.service']);
  assert.deepEqual(node.entered[0]?.apiServers, ['192.0.2.9:6443']);
  for (const name of ['kubeadm.yaml', 'invitation.json', 'api-server/encryption.yaml'])
    assert.equal(await node.store.read(`kubernetes/${name}`), undefined, name);
  assert.equal((await failure(client.inviteNode({}, admin))).code, 'kubernetes/not-control-plane');
});

test('a join that failed goes on with a new invitation, written anew', async () => {
  const node = fakeNode();
  node.failing.add('plinth-kubeadm-join.service');
  const { client, kubernetes } = await serve(node);
  await client.join({ invitation: invitation() }, admin);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.state, 'failed');
  const token = async () =>
    /token: (\S+)/.exec((await node.store.read('kubernetes/kubeadm.yaml'))?.toString() ?? '')?.[1];
  assert.equal(await token(), 'abcdef.0123456789abcdef');
  const expiresAt = timestampFromMs(Date.UTC(2026, 10, 21) + 90_000);
  const renewed = invitation({ token: 'newnew.0123456789abcdef', expiresAt });
  await client.join({ invitation: renewed }, admin);
  await kubernetes.acts.idle();
  assert.equal(await token(), 'newnew.0123456789abcdef');
  node.failing.clear();
  node.ran.length = 0;
  await client.join({ invitation: renewed }, admin);
  await kubernetes.acts.idle();
  assert.deepEqual(node.ran.slice(0, 2), [
    'restart plinth-kubeadm-reset.service',
    'start plinth-kubeadm-join.service',
  ]);
  assert.equal(kubernetes.acts.current()?.state, 'done');
});

const refused: readonly (readonly [
  what: string,
  code: string,
  changes: Readonly<Record<string, unknown>>,
])[] = [
  ['another node', 'kubernetes/invitation-refused', { nodeId: 'sha256:other' }],
  ['another name', 'kubernetes/invitation-refused', { nodeName: 'node-2' }],
  ['another address', 'kubernetes/invitation-refused', { nodeAddress: '192.0.2.2' }],
  ['no role', 'kubernetes/invitation-refused', { role: NodeRole.UNSPECIFIED }],
  ['no token', 'kubernetes/invitation-refused', { token: '' }],
  ['no authority', 'kubernetes/invitation-refused', { caKeyHash: 'sha256:x' }],
  ['no API server', 'kubernetes/invitation-refused', { apiServers: [] }],
  ['a control plane without key', 'kubernetes/invitation-refused', { role: NodeRole.CONTROL_PLANE }],
  [
    'an end in the past',
    'kubernetes/invitation-expired',
    { expiresAt: timestampFromMs(Date.UTC(2026, 10, 20)) },
  ],
  ['no end', 'kubernetes/invitation-expired', { expiresAt: undefined }],
  ['a version the node has not', 'kubernetes/layer-missing', { kubernetesVersion: '1.99.0' }],
  [
    'networks that overlap',
    'kubernetes/spec-invalid',
    { cluster: { name: 'x', podNetwork: '10.96.0.0/12' } },
  ],
];

for (const [what, code, changes] of refused) {
  test(`an invitation with ${what} changes nothing`, async () => {
    const node = fakeNode();
    const { client, kubernetes } = await serve(node);
    assert.equal((await failure(client.join({ invitation: invitation(changes) }, admin))).code, code);
    assert.equal(kubernetes.acts.current(), undefined);
    assert.equal(await node.store.read('kubernetes/invitation.json'), undefined);
    assert.deepEqual([node.ran, node.entered], [[], []]);
  });
}

test('a control plane invites, with its encryption key for control planes only', async () => {
  const node = fakeNode();
  const { client, kubernetes } = await serve(node);
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  const invite = { nodeId: NODE_ID, nodeName: 'node-2', nodeAddress: '192.0.2.2' };
  const worker = (await client.inviteNode({ ...invite, role: NodeRole.WORKER }, admin)).invitation;
  assert.deepEqual(
    [worker?.certificateKey, worker?.encryptionConfiguration, worker?.kubernetesVersion],
    ['', '', '1.37.1'],
  );
  const plane = (await client.inviteNode({ ...invite, role: NodeRole.CONTROL_PLANE }, admin)).invitation;
  assert.equal(plane?.certificateKey.length, 64);
  assert.match(plane?.encryptionConfiguration ?? '', /^kind: EncryptionConfiguration$/m);
  assert.equal(
    (await failure(client.inviteNode({ ...invite, nodeName: 'Node' }, admin))).code,
    'kubernetes/spec-invalid',
  );
  await client.forgetNode({ nodeName: 'node-2' }, admin);
  assert.deepEqual(forgotten.splice(0), ['node-2']);
  for (const nodeName of ['', '../nodes', 'node-1'])
    assert.equal((await failure(client.forgetNode({ nodeName }, admin))).code, 'kubernetes/spec-invalid');
  const { kubeconfig } = await client.getKubeconfig({}, admin);
  assert.equal(kubeconfig, 'server: https://192.0.2.1:6443');
  assert.equal(
    (await failure(client.getKubeconfig({ server: 'http://x' }, admin))).code,
    'kubernetes/spec-invalid',
  );
});

test('a member leaves when it may, and founds no other cluster', async () => {
  const node = fakeNode();
  let allowed = false;
  const { client, kubernetes } = await serve(node, async () => {
    if (!allowed) throw new PlinthError('kubernetes/leave-refused', 'Cannot leave: a test');
  });
  assert.equal((await failure(client.leave({}, admin))).code, 'kubernetes/not-member');
  await client.bootstrap({ cluster }, admin);
  await kubernetes.acts.idle();
  assert.equal((await failure(client.leave({}, admin))).code, 'kubernetes/leave-refused');
  allowed = true;
  await client.leave({}, admin);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.state, 'done');
  assert.deepEqual([node.chosen, node.merged], [undefined, undefined]);
  assert.equal(await node.store.read('kubernetes/api-server/encryption.yaml'), undefined);
  assert.equal((await client.getKubernetes({}, admin)).membership, Membership.NONE);
  assert.equal((await failure(client.bootstrap({ cluster }, admin))).code, 'kubernetes/was-member');
  await client.join({ invitation: invitation() }, admin);
  await kubernetes.acts.idle();
  assert.equal((await client.getKubernetes({}, admin)).membership, Membership.MEMBER);
});

test('plinthd killed in any unit of a bootstrap ends at the same node', async () => {
  const states: unknown[] = [];
  for (let at = 0; at <= 6; at++) {
    const node = fakeNode();
    const stopping = new AbortController();
    const first = await node.open(stopping.signal);
    node.killAfter = { units: at, kill: () => stopping.abort() };
    const request = {
      cluster: completeClusterSpec({ ...noSpec, name: 'demo' }),
      version: '1.37.1',
      nodeAddress: '192.0.2.1',
    };
    await first.acts.begin(planBootstrap(first.parts, request), request);
    await first.acts.idle();
    node.killAfter = undefined;
    const second = await node.open();
    await second.acts.idle();
    assert.equal(second.acts.current()?.state, 'done');
    states.push([await second.standing(), node.merged, node.chosen]);
  }
  for (const state of states) assert.deepEqual(state, states[0]);
});

const noSpec = {
  podNetwork: '',
  serviceNetwork: '',
  dnsDomain: '',
  controlPlanesTakeWorkloads: false,
  apiServerNames: [],
};
