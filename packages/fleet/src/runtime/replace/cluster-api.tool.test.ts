import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@plinth/host/testing';
import { findKubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { applyObject, askKube, openKindMap, openKubeConnection, readClusterAccess } from '@plinth/kube';
import { z } from 'zod';
import { installManifests } from '../../install/manifests.ts';
import { FLEET_NAME, FLEET_NAMESPACE } from '../../install/names.ts';
import { projectNode } from '../../view/project/project-core.ts';
import { replaceNode } from './cluster-api.ts';

// Machines at a real API server, by kinds with the fields that Cluster API documents (kubernetes-sigs/cluster-api, api/core/v1beta2), and the
// operator's account: nothing without the right that is given by hand; then that very Machine, as it was judged.

const kubernetes = (await findKubernetesPrograms()).at(-1);
const skip = kubernetes ? kubernetes.skip : 'no Kubernetes is known';
const patience = { patienceMs: 120_000, everyMs: 200 };
const GROUP = 'cluster.x-k8s.io';

function definition(kind: string, plural: string): object {
  const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    metadata: {
      name: `${plural}.${GROUP}`,
      annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/cluster-api' },
    },
    spec: {
      ...{ group: GROUP, scope: 'Namespaced', names: { kind, plural, singular: kind.toLowerCase() } },
      versions: [
        {
          ...{ name: 'v1beta2', served: true, storage: true, subresources: { status: {} } },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: free, status: free } } },
        },
      ],
    },
  };
}

test('a Machine is deleted only by who was given the right, and only as it was judged', {
  ...{ skip, timeout: 300_000 },
}, async () => {
  assert.ok(kubernetes);
  await using plane = await startControlPlane(kubernetes);
  const signal = AbortSignal.timeout(280_000);
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using admin = openKubeConnection(access);
  const post = (path: string, body: object) => askKube(admin, { method: 'POST', path, body }, signal);
  const get = (path: string) => askKube(admin, { method: 'GET', path }, signal);
  const kinds = openKindMap(admin);
  const install = async (mayDeleteMachines: boolean) => {
    const options = { namespace: FLEET_NAMESPACE, image: 'none', replicas: 1, mayDeletePods: false };
    for (const object of installManifests({ ...options, mayDeleteMachines }))
      await applyObject(admin, kinds, object, 'test', signal);
  };
  for (const [kind, plural] of [
    ['Machine', 'machines'],
    ['MachineDeployment', 'machinedeployments'],
  ] as const)
    await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(kind, plural));
  const place = `/apis/${GROUP}/v1beta2/namespaces/default`;
  const isServed = async () =>
    (await admin.call({ method: 'GET', path: `${place}/machines` }, signal)).status === 200;
  await eventually(isServed, patience);
  await install(false);
  const issued = await post(`/api/v1/namespaces/${FLEET_NAMESPACE}/serviceaccounts/${FLEET_NAME}/token`, {
    ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const { token } = z.looseObject({ status: z.looseObject({ token: z.string() }) }).parse(issued).status;
  using operator = openKubeConnection({ ...access, certificatePem: undefined, keyPem: undefined, token });

  const deployment = {
    ...{ apiVersion: `${GROUP}/v1beta2`, kind: 'MachineDeployment', metadata: { name: 'pool-a' } },
    spec: { replicas: 1, rollout: { strategy: { type: 'RollingUpdate' } } },
  };
  await post(`${place}/machinedeployments`, deployment);
  const machine = {
    ...{ apiVersion: `${GROUP}/v1beta2`, kind: 'Machine' },
    metadata: {
      name: 'pool-a-1',
      labels: { [`${GROUP}/deployment-name`]: 'pool-a' },
      // As Cluster API does: it is there until its Node and its instance are gone.
      finalizers: [`machine.${GROUP}`],
      ownerReferences: [
        { apiVersion: `${GROUP}/v1beta2`, kind: 'MachineSet', name: 'pool-a-x', uid: 'x', controller: true },
      ],
    },
    spec: {},
  };
  await post(`${place}/machines`, machine);
  const patch = (path: string, body: object) =>
    askKube(admin, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }, signal);
  await patch(`${place}/machines/pool-a-1/status`, { status: { nodeRef: { name: 'node-1' } } });
  const annotations = { [`${GROUP}/machine`]: 'pool-a-1', [`${GROUP}/cluster-namespace`]: 'default' };
  const raw = await post('/api/v1/nodes', {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', annotations } },
  });
  const node = projectNode(raw);
  assert.ok(Math.abs(node.createdAtMs - Date.now()) < 300_000, 'when it was made is read');
  const ask = (mayDelete: boolean, meanwhile: () => Promise<unknown> = async () => undefined) =>
    replaceNode(
      { ...{ do: 'replace-node', node: 'node-1', uid: node.uid, mayDelete }, kubernetesVersion: '' },
      node,
      async (asked) => {
        if (asked.method === 'DELETE') await meanwhile();
        return operator.call(asked, signal);
      },
    );
  const isThere = async () =>
    !JSON.stringify(await get(`${place}/machines/pool-a-1`)).includes('deletionTimestamp');

  const forbidden = await ask(true);
  assert.equal(forbidden.is, 'unknown');
  assert.match(forbidden.text, /forbidden/i);
  await install(true);
  const rolling = await eventually(async () => {
    const answer = await ask(true);
    return answer.is === 'refused' && answer;
  }, patience);
  assert.match(rolling.text, /strategy RollingUpdate: set OnDelete/);
  await patch(`${place}/machinedeployments/pool-a`, {
    spec: { rollout: { strategy: { type: 'OnDelete' } } },
  });
  assert.equal((await ask(false)).is, 'kept');
  const changed = await ask(true, () =>
    patch(`${place}/machines/pool-a-1`, { spec: { providerID: 'x://1' } }),
  );
  assert.equal(changed.is, 'unknown', 'it was another version of it that was judged');
  assert.ok(await isThere());
  assert.equal((await ask(true)).is, 'deleting');
  assert.equal(await isThere(), false);
  assert.equal((await ask(false)).is, 'deleting', 'a new leader sees that it goes');
});
