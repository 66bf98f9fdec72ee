import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type CheckResult,
  listCluster,
  loadCheckKnowledge,
  ownerText,
  readPools,
  runCheck,
} from '@plinth/advisor';
import {
  type ControlPlane,
  findKubernetesPrograms,
  type KubernetesPrograms,
  startControlPlane,
} from '@plinth/image/testing';
import { readClusterAccess } from '@plinth/kube';
import { stringify } from 'yaml';

// The check of a live cluster against a real API server, with the rights of the manifest that ships and no others.

const root = join(import.meta.dirname, '../..');
const RBAC = join(root, 'packages/advisor/data/check/rbac.yaml');
const NAMESPACE = 'plinth-migrate-check';

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: workloads are checked with the rights of the manifest that ships`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

const container = (more: object) => ({ name: 'agent', image: 'example.org/agent:1.0', ...more });
const template = (labels: object, spec: object) => ({ metadata: { labels }, spec });
const workload = (kind: string, name: string, spec: object, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'shop' },
  spec: { selector: { matchLabels: { app: name } }, template: template({ app: name }, spec), ...more },
});

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  await fill(plane);
  const known = await loadCheckKnowledge('plinth', join(root, 'os'), '2026-11-22');
  const signal = AbortSignal.timeout(120_000);
  const kubeconfig = await kubeconfigOf(plane);
  const access = await readClusterAccess(kubeconfig, undefined, signal);

  const result = await runCheck(listCluster(access, signal), known, '2026-11-22');
  assert.deepEqual(result.problems, []);
  assert.deepEqual(result.nodes, ['node-1', 'node-2']);
  const one = (rule: string) => result.findings.filter((finding) => finding.rule === rule);
  // 300 pods of one Deployment, on two nodes and two pages: one finding, whose place is the template.
  assert.deepEqual(
    one('PLM013').map(({ owner, pods, nodes, object }) => [ownerText(owner), pods, nodes, object.kind]),
    [['Deployment shop/web', 300, ['node-1', 'node-2'], 'Deployment']],
  );
  assert.deepEqual(
    one('PLM008').map(({ owner, subject }) => [ownerText(owner), subject]),
    [['DaemonSet shop/net', '/opt/cni/bin']],
  );
  assert.equal(one('PLM071')[0]?.object.name, 'web');
  assert.deepEqual(
    one('PLM020').map(({ owner, object, severity }) => [ownerText(owner), object.kind, severity]),
    [['DaemonSet shop/net', 'ConfigMap', 'block']],
  );
  assert.equal(one('PLM054')[0]?.severity, 'block');

  await poolsOf(plane);
  await refuses(plane, kubeconfig);
  await plane.kubectl('delete', 'clusterrolebinding', 'plinth-migrate-check-scripts');
  const without = await withoutScripts(access, known, signal);
  assert.deepEqual(
    without.problems.map(({ code }) => code),
    ['check/list-refused'],
  );
  assert.match(without.problems[0]?.message ?? '', /configmaps.*may not list.*scripts/);
  assert.ok(without.findings.length > 0);

  const stranger = { ...access, token: 'nobody' };
  await assert.rejects(runCheck(listCluster(stranger, signal), known, '2026-11-22'), {
    code: 'kube/unauthorized',
  });
}

/** What "plinth migrate plan --describe -" reads of the nodes and budgets of the same cluster. */
async function poolsOf(plane: ControlPlane): Promise<void> {
  const nodeInfo = { osImage: 'Ubuntu 24.04.3 LTS', kubeletVersion: 'v1.36.1', architecture: 'amd64' };
  const status = { nodeInfo: { ...nodeInfo, operatingSystem: 'linux' }, capacity: { 'nvidia.com/gpu': '1' } };
  for (const node of ['node-1', 'node-2'])
    await plane.kubectl(
      ...['patch', 'node', node, '--subresource=status', '--type=merge'],
      ...['--patch', JSON.stringify({ status })],
    );
  const pools = async () =>
    readPools(await plane.kubectl('get', 'nodes,poddisruptionbudgets', '-A', '-o', 'json'), 'standard input');
  // No controller runs here, and until one has looked at a budget nobody knows what it allows.
  assert.equal((await pools())[0]?.properties['disruption-budgets'], undefined);
  const judged = { observedGeneration: 1, expectedPods: 300, disruptionsAllowed: 0 };
  const counts = { currentHealthy: 300, desiredHealthy: 300 };
  await plane.kubectl(
    ...['patch', 'poddisruptionbudget', 'web', '-n', 'shop', '--subresource=status', '--type=merge'],
    ...['--patch', JSON.stringify({ status: { ...judged, ...counts } })],
  );
  const properties = { kubernetes: '1.36', architecture: 'amd64', 'os-type': 'linux', gpu: 'nvidia' };
  assert.partialDeepStrictEqual(await pools(), [
    {
      ...{ platform: 'on-premises', system: 'ubuntu', name: 'all-nodes', nodes: 2 },
      properties: { ...properties, 'disruption-budgets': 'no' },
    },
  ]);
}

/** A right that was taken away works a moment longer. */
async function withoutScripts(
  access: Awaited<ReturnType<typeof readClusterAccess>>,
  known: Awaited<ReturnType<typeof loadCheckKnowledge>>,
  signal: AbortSignal,
): Promise<CheckResult> {
  for (;;) {
    const result = await runCheck(listCluster(access, signal), known, '2026-11-22');
    if (result.problems.length > 0) return result;
    signal.throwIfAborted();
  }
}

/** What the account of the manifest may not do. */
async function refuses(plane: ControlPlane, kubeconfig: string): Promise<void> {
  const may = async (...words: string[]) =>
    (
      await plane
        .run('kubectl', `--kubeconfig=${kubeconfig}`, 'auth', 'can-i', ...words)
        .catch(() => undefined)
    )?.stdout
      .toString()
      .trim() ?? 'no';
  assert.equal(await may('list', 'pods', '-A'), 'yes');
  for (const words of [
    ['list', 'secrets', '-A'],
    ['get', 'secrets', '-n', 'shop'],
    ['get', 'configmaps', '-n', 'shop'],
    ['create', 'pods', '-n', 'shop'],
    ['delete', 'pods', '-n', 'shop'],
    ['create', 'pods', '--subresource=exec', '-n', 'shop'],
    ['patch', 'nodes'],
  ])
    assert.equal(await may(...words), 'no', words.join(' '));
}

async function fill(plane: ControlPlane): Promise<void> {
  const web = { containers: [container({ securityContext: { privileged: true } })] };
  const net = {
    containers: [container({ volumeMounts: [{ name: 'cni', mountPath: '/host' }] })],
    volumes: [
      { name: 'cni', hostPath: { path: '/opt/cni/bin' } },
      { name: 'scripts', configMap: { name: 'scripts' } },
    ],
    tolerations: [{ operator: 'Exists' }],
  };
  const replicaSet = {
    ...workload('ReplicaSet', 'web-7d4b9c', web, { replicas: 300 }),
    metadata: {
      name: 'web-7d4b9c',
      namespace: 'shop',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'a', controller: true },
      ],
    },
  };
  const pods = Array.from({ length: 300 }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-7d4b9c-${i}`,
      namespace: 'shop',
      labels: { app: 'web' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-7d4b9c', uid: 'b', controller: true },
      ],
    },
    spec: { ...web, nodeName: `node-${1 + (i % 2)}` },
  }));
  const items = [
    ...['node-1', 'node-2'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    // Made by a controller that does not run here.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' } },
    workload('DaemonSet', 'net', net),
    workload('Deployment', 'web', web, { replicas: 300 }),
    replicaSet,
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'scripts', namespace: 'shop' },
      data: { 'prepare.sh': '#!/bin/sh\nnsenter -t 1 -m -- apt-get install -y nfs-common\n' },
    },
    ...pods,
  ];
  await writeFile(plane.at('objects.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await plane.kubectl('create', '-f', plane.at('objects.json'));
  await plane.kubectl('apply', '-f', RBAC);
}

/** A kubeconfig with a token of the account, as the how-to makes it. */
async function kubeconfigOf(plane: ControlPlane): Promise<string> {
  const token = (await plane.kubectl('create', 'token', NAMESPACE, '-n', NAMESPACE)).trim();
  const path = plane.at('check.conf');
  await writeFile(plane.at('token'), token, { mode: 0o600 });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'check',
    contexts: [{ name: 'check', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      {
        name: 'c',
        cluster: {
          server: `https://127.0.0.1:${plane.apiPort}`,
          'certificate-authority-data': (await readFile(join(plane.pki, 'ca.crt'))).toString('base64'),
        },
      },
    ],
    users: [{ name: 'u', user: { tokenFile: 'token' } }],
  };
  await writeFile(path, stringify(config));
  return path;
}
