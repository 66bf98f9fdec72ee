import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { loadKnowledge } from './load-knowledge.ts';
import type { Json } from './model/json.ts';
import { toKubeObject } from './model/kube-object.ts';
import { readSources } from './read/read-sources.ts';
import { ownerText } from './report/finding.ts';
import { type CheckKnowledge, runCheck } from './run-check.ts';

// How findings of many objects become those that a person can work on.

const OS = join(import.meta.dirname, '../../../../os');
const TODAY = '2026-11-22';
let known: CheckKnowledge;
before(async () => {
  known = await loadKnowledge('plinth', OS, TODAY);
});

async function check(objects: readonly Json[]) {
  const stdin = (async function* () {
    yield Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  })();
  return runCheck(readSources(['-'], { stdin, signal: AbortSignal.timeout(30_000) }), known, TODAY);
}

const spec: Json = {
  containers: [{ name: 'a', image: 'b', securityContext: { privileged: true } }],
  volumes: [{ name: 's', configMap: { name: 'scripts' } }],
};
const deployment: Json = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'kube-system' },
  spec: { replicas: 3, template: { metadata: { labels: { app: 'web' } }, spec } },
};
const controlled = (kind: string, name: string) => ({
  namespace: 'kube-system',
  ownerReferences: [{ kind, name, controller: true }],
});
const replicaSet: Json = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web-5f', ...controlled('Deployment', 'web') },
  spec: { template: { spec } },
};
const pod = (i: number, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `web-5f-${i}`, ...controlled('ReplicaSet', 'web-5f') },
  spec: { ...(spec as object), nodeName: `n${i % 2}`, ...(more as object) },
});
const scripts: Json = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'scripts', namespace: 'kube-system' },
  data: { 'run.sh': 'nsenter -t 1 -m -- iscsiadm\n' },
};

const summary = (result: Awaited<ReturnType<typeof check>>) =>
  result.findings.map(({ rule, owner, pods, nodes, severity }) => [
    rule,
    ownerText(owner),
    pods,
    nodes.length,
    severity,
  ]);

test('pods, their ReplicaSet and their Deployment are one finding, in any order', async () => {
  const objects = [deployment, replicaSet, ...Array.from({ length: 50 }, (_, i) => pod(i))];
  const expected = [['PLM013', 'Deployment kube-system/web', 50, 2, 'warn']];
  for (const order of [objects, objects.toReversed()]) {
    const result = await check(order);
    assert.deepEqual(summary(result), expected);
    assert.equal(result.findings[0]?.object.kind, 'Deployment');
    assert.deepEqual([result.pods, result.workloads, result.nodes], [50, 1, ['n0', 'n1']]);
  }
});

test('without its pods a Deployment counts those it asks for', async () => {
  assert.deepEqual(summary(await check([deployment])), [
    ['PLM013', 'Deployment kube-system/web', 3, 0, 'warn'],
  ]);
});

test('what was put into pods only is found in them, and counted for their controller', async () => {
  const sidecar = { name: 'mesh', image: 'm', securityContext: { capabilities: { add: ['SYS_ADMIN'] } } };
  const result = await check([deployment, replicaSet, pod(1, { containers: [sidecar] })]);
  assert.deepEqual(
    result.findings
      .filter(({ rule }) => rule === 'PLM014')
      .map(({ owner, container }) => [ownerText(owner), container]),
    [['Deployment kube-system/web', 'mesh']],
  );
});

test('a script of a ConfigMap counts for the workloads that use it, and only informs when none does', async () => {
  const used = await check([scripts, deployment, replicaSet, pod(0), pod(1)]);
  assert.deepEqual(
    summary(used).filter(([rule]) => rule === 'PLM020'),
    [['PLM020', 'Deployment kube-system/web', 2, 2, 'block']],
  );
  assert.equal(used.findings.find(({ rule }) => rule === 'PLM020')?.object.kind, 'ConfigMap');
  assert.deepEqual(summary(await check([scripts])), [
    ['PLM020', 'ConfigMap kube-system/scripts', 0, 0, 'info'],
  ]);
});

test('a pod that has ended is not checked', async () => {
  const over = { ...(pod(1) as object), status: { phase: 'Succeeded' } };
  assert.deepEqual(summary(await check([over])), []);
});

test('pods of a file on the node are told apart from those nobody starts again', async () => {
  const mirror: Json = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'etcd-n1',
      namespace: 'kube-system',
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ kind: 'Node', name: 'n1', controller: true }],
    },
    spec: { containers: [{ name: 'etcd', image: 'e', securityContext: { privileged: true } }] },
  };
  assert.deepEqual(summary(await check([mirror])), [['PLM013', 'Pod kube-system/etcd-n1', 1, 0, 'warn']]);
});

test('what a system refuses blocks there and nowhere else: kernel settings, capabilities, GPUs', async () => {
  const pod: Json = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'kube-system', ownerReferences: [{ kind: 'Job', name: 'j' }] },
    spec: {
      securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] },
      containers: [
        {
          name: 'a',
          image: 'b',
          securityContext: { capabilities: { add: ['SYS_MODULE'] } },
          resources: { limits: { 'amd.com/gpu': 1 } },
        },
      ],
    },
  };
  const object = toKubeObject(pod, () => undefined);
  assert.ok(object);
  const severities = async (system: string) => {
    const there = await loadKnowledge(system, OS, TODAY);
    const { findings } = await runCheck([{ kind: 'object', object }], there, TODAY);
    return findings.map(({ rule, severity }) => `${rule} ${severity}`).sort();
  };
  assert.deepEqual(await severities('plinth'), ['PLM014 warn', 'PLM053 block', 'PLM083 block']);
  assert.deepEqual(await severities('bottlerocket'), ['PLM014 warn', 'PLM053 warn', 'PLM083 unknown']);
  assert.deepEqual(await severities('talos'), ['PLM014 block', 'PLM053 warn', 'PLM083 unknown']);
});

test('what an agent writes to is what its manifest mounts; folders that are only read block nothing', async () => {
  const calico = (folder: string) =>
    toKubeObject(
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'calico', namespace: 'kube-system' },
        spec: {
          template: {
            spec: {
              tolerations: [{ operator: 'Exists' }],
              containers: [
                { name: 'a', image: 'calico/node:v3.30.0', volumeMounts: [{ name: 'v', mountPath: '/x' }] },
              ],
              volumes: [{ name: 'v', hostPath: { path: folder } }],
            },
          },
        },
      },
      () => undefined,
    );
  const cos = await loadKnowledge('container-optimized-os', OS, TODAY);
  const rulesOf = async (folder: string) => {
    const object = calico(folder);
    assert.ok(object);
    const { findings } = await runCheck([{ kind: 'object', object }], cos, TODAY);
    return findings.map(({ rule, severity }) => `${rule} ${severity}`);
  };
  assert.deepEqual(await rulesOf('/opt/cni/bin'), ['PLM040 block', 'PLM008 unknown']);
  assert.deepEqual(await rulesOf('/home/kubernetes/bin'), []);
  assert.deepEqual(await rulesOf('/lib/udev'), []);
});

test('of what is equally bad, daemons and init containers come first, then what most pods have', async () => {
  const mounting = (name: string) => ({
    ...{ name, image: 'i', volumeMounts: [{ name: 'v', mountPath: '/x' }] },
  });
  const workload = (kind: string, name: string, field: string, replicas?: number): Json => ({
    ...{ apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'kube-system' } },
    spec: {
      ...(replicas !== undefined && { replicas }),
      template: {
        spec: {
          containers: [{ name: 'main', image: 'i' }],
          [field]: [mounting(field === 'containers' ? 'main' : 'first')],
          ...(kind === 'DaemonSet' && { tolerations: [{ operator: 'Exists' }] }),
          volumes: [{ name: 'v', hostPath: { path: '/opt/agent', type: 'DirectoryOrCreate' } }],
        },
      },
    },
  });
  const objects = [
    workload('Deployment', 'a-few', 'containers', 2),
    workload('Deployment', 'b-many', 'containers', 200),
    workload('Deployment', 'c-init', 'initContainers', 1),
    workload('DaemonSet', 'd-daemon', 'containers'),
  ];
  for (const order of [objects, objects.toReversed()]) {
    const { findings } = await check(order);
    assert.deepEqual(
      findings.filter(({ rule }) => rule === 'PLM002').map(({ owner, init }) => [owner.name, init ?? false]),
      [
        ['d-daemon', false],
        ['c-init', true],
        ['b-many', false],
        ['a-few', false],
      ],
    );
  }
});
