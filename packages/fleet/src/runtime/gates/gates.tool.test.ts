import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@plinth/host/testing';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { applyObject, askKube, openKindMap, openKubeConnection, readClusterAccess } from '@plinth/kube';
import { z } from 'zod';
import { FLEET_GROUP } from '../../crd/index.ts';
import { installManifests } from '../../install/manifests.ts';
import { FLEET_NAME, FLEET_NAMESPACE, gatesNamespaceOf, userOf } from '../../install/names.ts';
import { ownKinds } from '../../view/project/project-own.ts';
import { openAskGate } from './ask-gate.ts';

// Gates of CEL and of Job at a real API server and real controllers, asked with the rights of the operator's account. There is no
// kubelet: what a pod of a Job came to is written by the test, and the Job's controller concludes.

for (const kubernetes of (await findKubernetesPrograms()).slice(-1))
  test(
    `Kubernetes ${kubernetes.minor}: gates ask about the objects they were given, and run their Jobs`,
    { skip: kubernetes.skip, timeout: 900_000 },
    () => prove(kubernetes),
  );

const GATES = gatesNamespaceOf(FLEET_NAMESPACE);
const patience = { patienceMs: 300_000, everyMs: 250 };

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes, { controllers: true });
  const signal = AbortSignal.timeout(880_000);
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using admin = openKubeConnection(access);
  const kinds = openKindMap(admin);
  const apply = (object: object) => applyObject(admin, kinds, object, 'test', signal);
  const install = { namespace: FLEET_NAMESPACE, image: 'none', replicas: 1, mayDeletePods: false };
  for (const object of installManifests(install)) await apply(object);
  const get = (path: string) => askKube(admin, { method: 'GET', path }, signal);
  const issued = await askKube(
    admin,
    {
      ...{
        method: 'POST',
        path: `/api/v1/namespaces/${FLEET_NAMESPACE}/serviceaccounts/${FLEET_NAME}/token`,
      },
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    },
    signal,
  );
  const { token } = z.looseObject({ status: z.looseObject({ token: z.string() }) }).parse(issued).status;
  using operator = openKubeConnection({ ...access, certificatePem: undefined, keyPem: undefined, token });
  /** Of the operator: an hour on is another run. */
  let nowMs = Date.now();
  const ask = openAskGate({ connection: operator, namespace: GATES, nowMs: () => nowMs });
  const gate = async (name: string) => {
    const stored = ownKinds.gates.project(await get(`${ownKinds.gates.path}/${name}`));
    return ask(stored ?? assert.fail(`${name} cannot be read`), signal);
  };
  const gateObject = (name: string, spec: object) => ({
    ...{ apiVersion: `${FLEET_GROUP}/v1alpha1`, kind: 'HealthGate', metadata: { name }, spec },
  });

  // CEL: nothing without a right; then that object, and no other.
  const place = { apiVersion: 'v1', resource: 'configmaps', namespace: 'default' };
  const config = (name: string, ready: string) => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { ready } },
  });
  await apply(config('shop', 'yes'));
  await apply(config('other', 'yes'));
  const expression = "object.data.ready == 'yes'";
  await apply(gateObject('shop', { cel: { ...place, name: 'shop', expression } }));
  await apply(gateObject('other', { cel: { ...place, name: 'other', expression } }));
  const refused = await gate('shop');
  assert.equal(refused.state, 'unknown');
  assert.match(
    refused.reason.text,
    new RegExp(`${userOf(FLEET_NAMESPACE)}.*cannot get resource "configmaps"`),
  );
  const rbac = 'rbac.authorization.k8s.io';
  const named = { apiVersion: `${rbac}/v1`, metadata: { name: 'fleet-gate-shop', namespace: 'default' } };
  await apply({
    ...{ ...named, kind: 'Role' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['shop'], verbs: ['get'] }],
  });
  await apply({
    ...{ ...named, kind: 'RoleBinding' },
    roleRef: { apiGroup: rbac, kind: 'Role', name: 'fleet-gate-shop' },
    subjects: [{ kind: 'ServiceAccount', name: FLEET_NAME, namespace: FLEET_NAMESPACE }],
  });
  await eventually(async () => (await gate('shop')).state === 'pass', patience);
  assert.equal((await gate('other')).state, 'unknown');
  await apply(config('shop', 'no'));
  assert.equal((await gate('shop')).state, 'fail');
  await askKube(admin, { method: 'DELETE', path: '/api/v1/namespaces/default/configmaps/shop' }, signal);
  assert.equal((await gate('shop')).reason.code, 'gate/no-object');

  // Job: made from its template, once; what its controller says of its pod is what the gate says.
  await apply(gateObject('smoke', { job: { configMap: 'smoke', every: '1h', timeout: '10m' } }));
  assert.match((await gate('smoke')).reason.text, /configmaps "smoke" not found/);
  const template = {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'smoke' } },
    spec: { template: { spec: podSpec } },
  };
  await apply({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'smoke', namespace: GATES } },
    data: { 'job.yaml': JSON.stringify(template) },
  });
  assert.equal((await gate('smoke')).reason.code, 'gate/running');
  const podsPath = `/api/v1/namespaces/${GATES}/pods`;
  const endPod = async (phase: 'Succeeded' | 'Failed', seen: ReadonlySet<string>) => {
    const names = await eventually(async () => {
      const { items } = listSchema.parse(await get(podsPath));
      const fresh = items.map(({ metadata }) => metadata.name).filter((name) => !seen.has(name));
      return fresh.length > 0 && fresh;
    }, patience);
    assert.equal(names.length, 1, 'one pod for one run');
    const [name = ''] = names;
    const terminated = { exitCode: phase === 'Succeeded' ? 0 : 1 };
    const body = { status: { phase, containerStatuses: [{ ...status, state: { terminated } }] } };
    const asked = { method: 'PATCH', path: `${podsPath}/${name}/status`, body } as const;
    await askKube(admin, { ...asked, contentType: 'application/merge-patch+json' }, signal);
    return name;
  };
  const first = await endPod('Succeeded', new Set());
  await eventually(async () => (await gate('smoke')).state === 'pass', patience);
  // The run after it: until it has ended, the one before counts.
  nowMs += 3_600_000;
  assert.equal((await gate('smoke')).state, 'pass');
  await endPod('Failed', new Set([first]));
  await eventually(async () => (await gate('smoke')).state === 'fail', patience);
  const jobsPath = `/apis/batch/v1/namespaces/${GATES}/jobs`;
  assert.equal(listSchema.parse(await get(jobsPath)).items.length, 2);

  // Its Jobs go with the gate, and their pods with them.
  const gatePath = `${ownKinds.gates.path}/smoke`;
  await askKube(admin, { method: 'DELETE', path: gatePath }, signal);
  await eventually(async () => listSchema.parse(await get(jobsPath)).items.length === 0, patience);
}

/** As the namespace demands of every pod. */
const podSpec = {
  securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      ...{ name: 'smoke', image: 'registry.example/smoke:1' },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};
const status = {
  name: 'smoke',
  image: 'registry.example/smoke:1',
  imageID: 'x',
  ready: false,
  restartCount: 0,
};
const listSchema = z.looseObject({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});
