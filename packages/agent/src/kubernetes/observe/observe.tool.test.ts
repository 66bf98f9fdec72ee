import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { LOCAL_ETCD, openEtcdClient, readEtcdCredentials } from '../../etcd/etcd-client.ts';
import { etcdOperations } from '../../etcd/etcd-operations.ts';
import { openHttps } from '../../https/call-https.ts';
import { nodeSys } from '../../sys/node-sys.ts';
import { issueClientCertificate } from '../access/issue-certificate.ts';
import { openKubeClient } from '../access/kube-client.ts';
import { CLUSTER_AUTHORITY } from '../paths.ts';
import { openObserver } from './open-observer.ts';

// What health asks, of a real API server and a real etcd, with the rights of a node.

const PARTS = ['etcd', 'kube-apiserver'];

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: a node sees itself, its static pods and etcd`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const objects = [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } },
    ...PARTS.map((part) => mirrorPod(part, 'node-1')),
    mirrorPod('etcd', 'node-2'),
  ];
  await writeFile(
    plane.at('objects.json'),
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  );
  await plane.kubectl('create', '-f', plane.at('objects.json'));
  const status = (subject: string, content: object, ...more: string[]) =>
    plane.kubectl(
      'patch',
      subject,
      '--subresource=status',
      `-p=${JSON.stringify({ status: content })}`,
      ...more,
    );
  await status('node/node-1', {
    conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'fine' }],
    nodeInfo: { kubeletVersion: 'v1.2.3' },
  });
  await status(
    'pod/etcd-node-1',
    { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    '-n=kube-system',
  );
  const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
  const container = {
    name: 'kube-apiserver',
    restartCount: 3,
    image: '',
    imageID: '',
    ready: false,
    state: waiting,
  };
  await status(
    'pod/kube-apiserver-node-1',
    { phase: 'Running', containerStatuses: [container] },
    '-n=kube-system',
  );

  const authority = await readFile(join(plane.pki, 'ca.crt'), 'latin1');
  const issued = await issueClientCertificate(
    authority,
    await readFile(join(plane.pki, 'ca.key'), 'latin1'),
    {
      commonName: 'system:node:node-1',
      organisation: 'system:nodes',
      notBeforeMs: Date.now() - 60_000,
      notAfterMs: Date.now() + 3_600_000,
    },
  );
  const server = { host: '127.0.0.1', port: plane.apiPort };
  const client = openKubeClient({ endpoint: async () => ({ ...server, ...issued, caPem: authority }) });
  const etcd = etcdOperations({
    sys: { ...nodeSys(), hostName: () => 'node-1' },
    folder: plane.dir,
    pki: join(plane.pki, 'etcd'),
    target: { ...LOCAL_ETCD, port: plane.etcdPort },
    restartUnit: async () => {},
  });
  let aheadMs = 0;
  const observer = openObserver({
    sys: {
      readFile: (path) => readFile(path === CLUSTER_AUTHORITY ? join(plane.pki, 'ca.crt') : path),
      nowMs: () => Date.now() + aheadMs,
    },
    nodeName: 'node-1',
    client,
    otherServers: async () => [`127.0.0.1:${plane.apiPort}`, '127.0.0.1:1'],
    observeEtcd: () => etcd.observe(4_000),
  });
  try {
    assert.deepEqual(await observer.node(), {
      kubeletVersion: 'v1.2.3',
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'fine' }],
    });
    assert.deepEqual(await observer.apiServer(), { version: `v${kubernetes.version}`, ready: true });
    assert.deepEqual(await observer.staticPods(), [
      { name: 'etcd', ready: true, restarts: 0, reason: '' },
      { name: 'kube-apiserver', ready: false, restarts: 3, reason: 'CrashLoopBackOff' },
    ]);
    const own = `127.0.0.1:${plane.apiPort}`;
    assert.deepEqual(await observer.peerClocks(), [{ server: own, skewMs: 0 }]);
    aheadMs = 3_600_000;
    const [behind] = await observer.peerClocks();
    assert.ok(behind && Math.abs(behind.skewMs + aheadMs) < 10_000, JSON.stringify(behind));

    const facts = await observer.etcd();
    assert.deepEqual([facts.alarms, facts.quotaBytes], [[], 2 * 1024 ** 3]);
    const [member] = facts.members;
    assert.deepEqual([member?.own, member?.healthy, member?.leader], [true, true, true]);
    assert.ok((member?.dbSizeBytes ?? 0) > 0);
    const credentials = await readEtcdCredentials(nodeSys(), join(plane.pki, 'etcd'));
    const https = openHttps({ ...credentials, host: '127.0.0.1', port: plane.etcdPort });
    using local = {
      ...openEtcdClient({ ...credentials, host: '127.0.0.1', port: plane.etcdPort }),
      [Symbol.dispose]: () => https.close(),
    };
    const [{ id = '0' } = {}] = await local.listMembers();
    const body = { action: 'ACTIVATE', memberID: BigInt(`0x${id}`).toString(), alarm: 'NOSPACE' };
    await https.call({ method: 'POST', path: '/v3/maintenance/alarm', body, timeoutMs: 5_000 }, 10_000);
    local.close();
    assert.deepEqual((await observer.etcd()).alarms, ['NOSPACE']);
  } finally {
    client.close();
  }
}

/** A static pod as the kubelet of a node shows it to the cluster. */
function mirrorPod(part: string, nodeName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${part}-${nodeName}`,
      namespace: 'kube-system',
      labels: { component: part, tier: 'control-plane' },
      annotations: { 'kubernetes.io/config.mirror': 'a', 'kubernetes.io/config.hash': 'a' },
    },
    spec: { nodeName, containers: [{ name: part, image: 'plinth.local/pause:1' }] },
  };
}
