import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KubeAnswer, KubeRequest } from '@plinth/kube';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import { replaceNode } from './cluster-api.ts';
import { judgeMachine, machineOf } from './judge-machine.ts';

// Objects as Cluster API documents them: api/core/v1beta2 (machine_types.go, machinedeployment_types.go) and v1beta1 of
// kubernetes-sigs/cluster-api.

const ANNOTATIONS = {
  'cluster.x-k8s.io/machine': 'pool-a-x7',
  'cluster.x-k8s.io/cluster-namespace': 'clusters',
};

function nodeOf(annotations: Record<string, string> = ANNOTATIONS) {
  const fleet = new ScriptedFleet();
  fleet.addNode({ name: 'node-1', change: { annotations } });
  return fleet.view().nodes.get('node-1') ?? assert.fail();
}

const MACHINE = {
  metadata: {
    ...{ name: 'pool-a-x7', uid: 'm-1', resourceVersion: '12' },
    labels: { 'cluster.x-k8s.io/deployment-name': 'pool-a' },
    ownerReferences: [{ kind: 'MachineSet', name: 'pool-a-1', controller: true }],
  },
  status: { nodeRef: { name: 'node-1' } },
};
const DEPLOYMENT = {
  metadata: { name: 'pool-a' },
  spec: { rollout: { strategy: { type: 'OnDelete' } }, template: { spec: { version: 'v1.37.1' } } },
};

suite('a Machine', () => {
  const judge = (machine: object, deployment: object = DEPLOYMENT, version = '') =>
    judgeMachine(nodeOf(), { ...MACHINE, ...machine }, deployment, version);

  test('may go where its pool makes another one by the newest template, in both versions of the API', () => {
    const may = { is: 'may-go', uid: 'm-1', resourceVersion: '12' };
    assert.deepEqual(judge({}), may);
    const older = {
      ...DEPLOYMENT,
      spec: { ...DEPLOYMENT.spec, rollout: {}, strategy: { type: 'OnDelete' } },
    };
    assert.deepEqual(judge({}, older), may);
    assert.deepEqual(judge({}, DEPLOYMENT, '1.37.1'), may);
    assert.deepEqual(judge({ metadata: { ...MACHINE.metadata, deletionTimestamp: 'x' } }), {
      is: 'deleting',
    });
  });

  test('stays where it is not this node, nobody makes another, or its pool goes its own way', () => {
    const paused = { 'cluster.x-k8s.io/paused': '' };
    const cases: readonly (readonly [RegExp, ReturnType<typeof judge>])[] = [
      [/is of the node node-2/, judge({ status: { nodeRef: { name: 'node-2' } } })],
      [/is of no node/, judge({ status: {} })],
      [/no MachineDeployment makes/, judge({ metadata: { ...MACHINE.metadata, ownerReferences: [] } })],
      [/no MachineDeployment makes/, judge({ metadata: { ...MACHINE.metadata, labels: {} } })],
      [/no MachineDeployment makes/, judge({}, { ...DEPLOYMENT, metadata: { name: 'pool-b' } })],
      [/strategy RollingUpdate: set OnDelete/, judge({}, { ...DEPLOYMENT, spec: {} })],
      [/is paused/, judge({}, { ...DEPLOYMENT, spec: { ...DEPLOYMENT.spec, paused: true } })],
      [/is paused/, judge({}, { ...DEPLOYMENT, metadata: { name: 'pool-a', annotations: paused } })],
      [/is paused/, judge({ metadata: { ...MACHINE.metadata, annotations: paused } })],
      [/gives Kubernetes v1\.37\.1, the release has 1\.38\.0/, judge({}, DEPLOYMENT, '1.38.0')],
      [/has no identity/, judge({ metadata: { ...MACHINE.metadata, uid: undefined } })],
    ];
    for (const [text, verdict] of cases) {
      assert.equal(verdict.is, 'refused', String(text));
      assert.match(verdict.is === 'refused' ? verdict.text : '', text);
    }
  });

  test('is found by annotations that are names, and by no others', () => {
    assert.deepEqual(machineOf(nodeOf()), { namespace: 'clusters', name: 'pool-a-x7' });
    for (const name of ['', '../secrets/x', 'A', 'a/b', 'a?x=1', 'a'.repeat(254)])
      assert.equal(machineOf(nodeOf({ ...ANNOTATIONS, 'cluster.x-k8s.io/machine': name })), undefined);
    assert.equal(machineOf(nodeOf({})), undefined);
  });
});

suite('replaceNode', () => {
  const write = {
    do: 'replace-node',
    node: 'node-1',
    uid: 'u',
    mayDelete: true,
    kubernetesVersion: '',
  } as const;
  const BASE = '/apis/cluster.x-k8s.io/v1beta2/namespaces/clusters';

  function server(change: Record<string, [number, object]> = {}) {
    const calls: KubeRequest[] = [];
    const answers: Record<string, [number, object]> = {
      'GET /apis/cluster.x-k8s.io': [200, { preferredVersion: { version: 'v1beta2' } }],
      [`GET ${BASE}/machines/pool-a-x7`]: [200, MACHINE],
      [`GET ${BASE}/machinedeployments/pool-a`]: [200, DEPLOYMENT],
      [`DELETE ${BASE}/machines/pool-a-x7`]: [200, {}],
      ...change,
    };
    const call = async (asked: KubeRequest): Promise<KubeAnswer> => {
      calls.push(asked);
      const [status, body] = answers[`${asked.method} ${asked.path}`] ?? [404, { message: 'not found' }];
      return { status, text: JSON.stringify(body), retryAfterMs: undefined };
    };
    return { call, calls, deletions: () => calls.filter(({ method }) => method === 'DELETE') };
  }

  test('deletes that very Machine as it was judged, and nothing where it may only ask', async () => {
    const one = server();
    assert.equal((await replaceNode(write, nodeOf(), one.call)).is, 'deleting');
    assert.partialDeepStrictEqual(one.deletions(), [
      { path: `${BASE}/machines/pool-a-x7`, body: { preconditions: { uid: 'm-1', resourceVersion: '12' } } },
    ]);
    const asking = server();
    assert.equal((await replaceNode({ ...write, mayDelete: false }, nodeOf(), asking.call)).is, 'kept');
    assert.deepEqual(asking.deletions(), []);
  });

  test('what cannot be told is unknown, and deletes nothing', async () => {
    const broken: readonly Record<string, [number, object]>[] = [
      { 'GET /apis/cluster.x-k8s.io': [404, {}] },
      { 'GET /apis/cluster.x-k8s.io': [200, { preferredVersion: { version: 'v2' } }] },
      { [`GET ${BASE}/machines/pool-a-x7`]: [403, { message: 'forbidden' }] },
      { [`GET ${BASE}/machines/pool-a-x7`]: [404, { message: 'not found' }] },
      { [`GET ${BASE}/machinedeployments/pool-a`]: [500, { message: 'oops' }] },
    ];
    for (const change of broken) {
      const one = server(change);
      assert.equal((await replaceNode(write, nodeOf(), one.call)).is, 'unknown', JSON.stringify(change));
      assert.deepEqual(one.deletions(), []);
    }
    const changed = server({
      [`DELETE ${BASE}/machines/pool-a-x7`]: [409, { kind: 'Status', message: 'it has changed' }],
    });
    assert.deepEqual(await replaceNode(write, nodeOf(), changed.call), {
      ...{ is: 'unknown', text: 'its Machine was not deleted: it has changed' },
    });
    assert.equal((await replaceNode(write, nodeOf({}), server().call)).is, 'refused');
  });
});
