import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActState, Membership } from '@plinth/api';
import { type FakeNode, fakeNode } from './testing/fake-node.ts';
import { as, failure, serve } from './testing/served.ts';

const admin = as('plinth:admin');
const cluster = { name: 'demo' };

/** A control plane at 1.36.4, with what kubeadm would have written. */
async function controlPlane() {
  const node = fakeNode();
  const served = await serve(node);
  await served.client.bootstrap({ cluster, kubernetesVersion: '1.36.4' }, admin);
  await served.kubernetes.acts.idle();
  node.files.set(ETCD, 'a:\n    plinth.dev/kubernetes-version: 1.36.4\n    image: plinth.local/pause:0\n');
  node.files.set('/var/lib/kubelet/config.yaml', 'old');
  node.ran.length = 0;
  return { node, ...served };
}

const ETCD = '/var/lib/kubernetes/manifests/etcd.yaml';

for (const [clusterVersion, unit] of [
  ['1.36.4', 'plinth-kubeadm-upgrade-apply.service'],
  ['1.37.1', 'plinth-kubeadm-upgrade-node.service'],
] as const) {
  test(`an upgrade in a cluster at ${clusterVersion} runs ${unit}`, async () => {
    const { node, client, kubernetes } = await controlPlane();
    node.clusterVersion = clusterVersion;
    await client.upgrade({ kubernetesVersion: '1.37.1' }, admin);
    await kubernetes.acts.idle();
    assert.equal(kubernetes.acts.current()?.state, 'done');
    assert.deepEqual(node.ran, [
      'restart systemd-sysext.service',
      'restart plinth-images.service',
      `restart ${unit}`,
      'restart kubelet.service',
      'start kubelet.service',
      'start kubelet.service',
      'restart plinth-addons.service',
    ]);
    assert.match(
      node.files.get(ETCD) ?? '',
      /kubernetes-version: 1\.37\.1\n {4}image: plinth\.local\/pause:1\n/,
    );
    assert.equal((await client.getKubernetes({}, admin)).version, '1.37.1');
  });
}

const DRIVE = '/dev/disk/by-id/virtio-kubernetes-1.36.4';

for (const [what, fault, chosen] of [
  ['kubeadm fails', (node: FakeNode) => node.failing.add('plinth-kubeadm-upgrade-apply.service'), DRIVE],
  ['the layer is not trusted', (node: FakeNode) => node.distrusted.push('1.37.1'), DRIVE],
  [
    'kubeadm fails and pods of the version before hold its drive',
    (node: FakeNode) => {
      node.failing.add('plinth-kubeadm-upgrade-apply.service');
      node.heldDrives.add(DRIVE);
    },
    '/layers/kubernetes-1.36.4.raw',
  ],
] as const) {
  test(`an upgrade is taken back when ${what}`, async () => {
    const { node, client, kubernetes } = await controlPlane();
    const manifest = node.files.get(ETCD);
    fault(node);
    await client.upgrade({ kubernetesVersion: '1.37.1' }, admin);
    await kubernetes.acts.idle();
    const { act, version, membership } = await client.getKubernetes({}, admin);
    assert.deepEqual([act?.state, version, membership], [ActState.REVERTED, '1.36.4', Membership.MEMBER]);
    assert.deepEqual([node.merged, node.chosen?.path], ['1.36.4', chosen]);
    assert.deepEqual(
      [node.files.get(ETCD), node.files.get('/var/lib/kubelet/config.yaml')],
      [manifest, 'old'],
    );
  });
}

test('a version whose drive is held by pods of an earlier try is merged from a copy', async () => {
  const { node, client, kubernetes } = await controlPlane();
  node.heldDrives.add('/dev/disk/by-id/virtio-kubernetes-1.37.1');
  await client.upgrade({ kubernetesVersion: '1.37.1' }, admin);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.state, 'done');
  assert.deepEqual([node.merged, node.chosen?.path], ['1.37.1', '/layers/kubernetes-1.37.1.raw']);
});

test('a way back that fails in the middle is gone again, to its end', async () => {
  const { node, client, kubernetes } = await controlPlane();
  const manifest = node.files.get(ETCD);
  node.failing.add('plinth-kubeadm-upgrade-apply.service');
  node.failOnce.add('kubelet.service');
  await client.upgrade({ kubernetesVersion: '1.37.1' }, admin);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.state, 'reverted');
  assert.deepEqual([node.merged, node.files.get(ETCD)], ['1.36.4', manifest]);
  assert.equal(node.files.get('/var/lib/kubelet/config.yaml'), 'old');
  assert.equal(node.ran.filter((each) => each === 'restart kubelet.service').length, 2);
});

test('an upgrade waits for a cluster that is silent for a while', async () => {
  const { node, client, kubernetes } = await controlPlane();
  // The call itself has to know whether it may begin.
  node.silence = { after: 1, times: 3 };
  await client.upgrade({ kubernetesVersion: '1.37.1' }, admin);
  await kubernetes.acts.idle();
  assert.equal(kubernetes.acts.current()?.state, 'done');
  assert.equal(node.silence.times, 0);
});

test('an upgrade that may not be is refused before anything changes', async () => {
  const { node, client } = await controlPlane();
  const code = async (version: string) =>
    (await failure(client.upgrade({ kubernetesVersion: version }, admin))).code;
  assert.equal(await code('1.36.4'), 'kubernetes/version-skew');
  assert.equal(await code('1.38.0'), 'kubernetes/layer-missing');
  node.versions.push('1.38.0', '1.35.0');
  assert.equal(await code('1.38.0'), 'kubernetes/version-skew');
  assert.equal(await code('1.35.0'), 'kubernetes/version-skew');
  assert.deepEqual(node.ran, []);
});
