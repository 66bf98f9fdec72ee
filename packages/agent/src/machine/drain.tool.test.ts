import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ControlPlane, findKubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { issueClientCertificate } from '../kubernetes/access/issue-certificate.ts';
import { openKubeClient } from '../kubernetes/access/kube-client.ts';
import { openNodeDrain } from './drain-node.ts';

// A real API server with NodeRestriction and a real disruption controller judge what a node may do with its own rights.

const kubernetes = (await findKubernetesPrograms()).at(-1);
const BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' };

test(`Kubernetes ${kubernetes?.minor}: a node drains itself, and nothing else`, {
  skip: kubernetes ? kubernetes.skip : 'no Kubernetes is compiled',
  timeout: 300_000,
}, async () => {
  assert.ok(kubernetes);
  // The owners of the pods below do not exist, so nobody may collect their garbage.
  const controllers = ['--controllers=-garbage-collector-controller'];
  await using plane = await startControlPlane(kubernetes, { controllers });
  const pods = [
    pod('web', 'node-1', { controller: 'ReplicaSet', labels: { app: 'web' } }),
    pod('daemon', 'node-1', { controller: 'DaemonSet' }),
    pod('alone', 'node-1', {}),
    pod('other', 'node-2', { controller: 'ReplicaSet' }),
  ];
  await createAll(plane, [
    ...['node-1', 'node-2'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } },
    {
      ...BUDGET,
      metadata: { name: 'web', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    },
    ...pods,
  ]);
  const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  for (const { metadata } of pods) await setStatus(plane, `pod/${metadata.name}`, ready);
  await setStatus(plane, 'node/node-1', {
    conditions: [{ type: 'Ready', status: 'True' }],
    nodeInfo: { bootID: 'boot-2' },
  });

  const client = await nodeClient(plane, 'node-1');
  const upMs = async () => performance.now();
  const parts = { client, upMs, sleep: () => new Promise<void>((done) => setTimeout(done, 300)) };
  const drain = openNodeDrain({ ...parts, nodeName: 'node-1' });
  const stop = new AbortController();
  const kubelet = runKubelet(plane, stop.signal);
  const notes: string[] = [];
  const empty = (evictUnmanaged: boolean, ms: number) =>
    drain.empty({
      ...{ evictUnmanaged, deadlineMs: performance.now() + ms, signal: stop.signal },
      note: (text) => notes.push(text),
    });
  try {
    assert.equal(await drain.isCordoned(), false);
    await drain.cordon('reboot');
    assert.equal(await drain.isCordoned(), true);
    assert.deepEqual([await drain.isReady('boot-1'), await drain.isReady('boot-2')], [false, true]);

    await assert.rejects(empty(false, 5_000), { code: 'machine/drain-failed', message: /default\/alone/ });
    await assert.rejects(empty(true, 8_000), {
      code: 'machine/drain-failed',
      message: /default\/web\).*disruption budget/s,
    });
    assert.equal(await names(plane), 'daemon other web');
    assert.match(notes[0] ?? '', /2 pods to go: default\/(alone|web), default\/(alone|web)/);

    await plane.kubectl('delete', 'pdb', 'web');
    await empty(true, 60_000);
    assert.equal(await names(plane), 'daemon other');
    await drain.uncordon();
    assert.equal(await drain.isCordoned(), false);
    assert.equal(
      (await plane.kubectl('get', 'node', 'node-1', '-o=jsonpath={.metadata.annotations}')).includes(
        'plinth.dev',
      ),
      false,
    );

    // What a node may not: touch another one, or its pods.
    const other = openNodeDrain({ ...parts, nodeName: 'node-2' });
    await assert.rejects(other.cordon('reboot'), { code: 'kubernetes/api-refused', message: /403/ });
    await assert.rejects(
      client.create('/api/v1/namespaces/default/pods/other/eviction', {
        ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other', namespace: 'default' } },
      }),
      { code: 'kubernetes/api-refused', message: /can only evict pods with spec\.nodeName set to itself/ },
    );
  } finally {
    stop.abort();
    await kubelet;
    client.close();
  }
});

interface PodKind {
  readonly controller?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

function pod(name: string, nodeName: string, { controller, labels = {} }: PodKind) {
  const owner = { apiVersion: 'apps/v1', kind: controller, name: 'a', uid: 'a', controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels, ...(controller && { ownerReferences: [owner] }) },
    spec: {
      ...{ nodeName, terminationGracePeriodSeconds: 0, automountServiceAccountToken: false },
      containers: [{ name, image: 'plinth.local/pause:1' }],
    },
  };
}

async function createAll(plane: ControlPlane, items: readonly object[]): Promise<void> {
  await writeFile(plane.at('objects.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await plane.kubectl('apply', '-f', plane.at('objects.json'));
}

async function setStatus(plane: ControlPlane, subject: string, status: object): Promise<void> {
  await plane.kubectl('patch', subject, '--subresource=status', `-p=${JSON.stringify({ status })}`);
}

async function names(plane: ControlPlane): Promise<string> {
  return (await plane.kubectl('get', 'pods', '-o=jsonpath={.items[*].metadata.name}')).trim();
}

/** Does what a kubelet does with a pod that was evicted: it ends it, and tells the API server so. */
async function runKubelet(plane: ControlPlane, signal: AbortSignal): Promise<void> {
  const leaving = '-o=jsonpath={range .items[?(@.metadata.deletionTimestamp)]}{.metadata.name} {end}';
  while (!signal.aborted) {
    const found = (await plane.kubectl('get', 'pods', leaving)).trim();
    if (found !== '')
      await plane.kubectl(
        'delete',
        'pod',
        '--force',
        '--grace-period=0',
        '--ignore-not-found',
        ...found.split(' '),
      );
    await new Promise((done) => setTimeout(done, 300));
  }
}

async function nodeClient(plane: ControlPlane, nodeName: string) {
  const authority = await readFile(join(plane.pki, 'ca.crt'), 'latin1');
  const issued = await issueClientCertificate(
    authority,
    await readFile(join(plane.pki, 'ca.key'), 'latin1'),
    {
      commonName: `system:node:${nodeName}`,
      organisation: 'system:nodes',
      notBeforeMs: Date.now() - 60_000,
      notAfterMs: Date.now() + 3_600_000,
    },
  );
  const server = { host: '127.0.0.1', port: plane.apiPort };
  return openKubeClient({ endpoint: async () => ({ ...server, ...issued, caPem: authority }) });
}
