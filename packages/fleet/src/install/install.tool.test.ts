import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import {
  applyObject,
  askKube,
  type ClusterAccess,
  type KubeConnection,
  openKindMap,
  openKubeConnection,
  readClusterAccess,
} from '@plinth/kube';
import { z } from 'zod';
import { FLEET_GROUP, FLEET_VERSION } from '../crd/index.ts';
import { installManifests } from './manifests.ts';
import { CLUSTER_RIGHTS, NAMESPACE_RIGHTS } from './rights.ts';

// The installation on a real API server: every object is taken, the operator's account can do what it has to and nothing
// else, and what admission policies refuse is refused to administrators too. All by tokens of real accounts.

const NAMESPACE = 'plinth-fleet';
const MANAGER = 'plinth-fleet-install';
const signal = AbortSignal.timeout(280_000);

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: the installation is taken, and each account can do what it is for and no more`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using admin = openKubeConnection(access);
  const options = {
    namespace: NAMESPACE,
    image: 'registry.example/plinth-fleet:1',
    replicas: 2,
    mayDeletePods: false,
  };
  const kinds = openKindMap(admin);
  const apply = (object: object) => applyObject(admin, kinds, object, MANAGER, signal);
  // Twice: an update of the operator is the same command again.
  for (const _round of [1, 2]) for (const object of installManifests(options)) await apply(object);
  // A right that somebody else gave, as some tool of GitOps has it.
  await apply({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
    metadata: { name: 'plinth-fleet-deleter' },
    rules: [{ apiGroups: [FLEET_GROUP], resources: ['rollouts'], verbs: ['delete'] }],
  });
  for (const name of ['editor', 'promoter', 'deleter', 'nobody']) await apply(account(name));
  for (const name of ['editor', 'promoter', 'deleter']) await apply(bindingOf(name));
  await apply({
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { pool: 'a' } } },
    spec: { taints: [{ key: 'example.org/mine', effect: 'NoSchedule' }] },
  });

  const folder = join(import.meta.dirname, '../../manifests');
  const made = await plane.kubectl('kustomize', folder);
  assert.match(made, /image: registry.example\/plinth-fleet:1\n/);

  using operator = await connectAs(admin, access, NAMESPACE, 'plinth-fleet');
  using editor = await connectAs(admin, access, 'default', 'editor');
  using promoter = await connectAs(admin, access, 'default', 'promoter');
  using deleter = await connectAs(admin, access, 'default', 'deleter');
  using nobody = await connectAs(admin, access, 'default', 'nobody');
  await proveRights(operator);
  await proveWriters({ admin, operator, nobody });
  await provePromotions({ admin, operator, editor, promoter, deleter });
  await proveNodeWrites({ admin, operator });
}

const account = (name: string) => ({
  ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
});
const bindingOf = (name: string) => ({
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name } },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `plinth-fleet-${name}` },
  subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
});

async function connectAs(
  admin: KubeConnection,
  access: ClusterAccess,
  namespace: string,
  name: string,
): Promise<KubeConnection> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600 },
  };
  const answer = await askKube(admin, { method: 'POST', path, body }, signal);
  const { status } = z.looseObject({ status: z.looseObject({ token: z.string() }) }).parse(answer);
  return openKubeConnection({ ...access, certificatePem: undefined, keyPem: undefined, token: status.token });
}

async function mayDo(connection: KubeConnection, attributes: object): Promise<boolean> {
  const body = {
    ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' },
    spec: { resourceAttributes: attributes },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answer = await askKube(connection, { method: 'POST', path, body }, signal);
  return z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) }).parse(answer).status.allowed;
}

async function proveRights(operator: KubeConnection): Promise<void> {
  const granted = (rights: typeof CLUSTER_RIGHTS, place: object) =>
    rights.flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((each) =>
          verbs.map((verb) => {
            const [resource, subresource = ''] = each.split('/');
            return { ...{ group, resource, subresource, verb, name: resourceNames?.[0] ?? '' }, ...place };
          }),
        ),
      ),
    );
  for (const right of [
    ...granted(CLUSTER_RIGHTS, {}),
    ...granted(NAMESPACE_RIGHTS, { namespace: NAMESPACE }),
  ])
    assert.ok(await mayDo(operator, right), `the operator may not ${JSON.stringify(right)}`);
  const refused = [
    { verb: 'get', resource: 'secrets', namespace: NAMESPACE },
    { verb: 'list', resource: 'configmaps', namespace: 'kube-system' },
    { verb: 'delete', resource: 'pods', namespace: 'default' },
    { verb: 'delete', resource: 'nodes' },
    { verb: 'update', resource: 'nodes', subresource: 'status' },
    { verb: 'create', resource: 'pods', namespace: 'default', subresource: 'exec' },
    { verb: 'update', group: 'policy', resource: 'poddisruptionbudgets', namespace: 'default' },
    { verb: 'update', group: FLEET_GROUP, resource: 'updatepolicies' },
    { verb: 'update', group: FLEET_GROUP, resource: 'plinthreleases' },
    { verb: 'promote', group: FLEET_GROUP, resource: 'rollouts' },
    { verb: 'get', group: 'coordination.k8s.io', resource: 'leases', namespace: NAMESPACE, name: 'other' },
    { verb: 'escalate', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  ];
  for (const right of refused)
    assert.equal(await mayDo(operator, right), false, `the operator may ${JSON.stringify(right)}`);
}

const fleet = (path: string) => `/apis/${FLEET_GROUP}/${FLEET_VERSION}/${path}`;
const objectOf = (kind: string, name: string, spec: object) => ({
  ...{ apiVersion: `${FLEET_GROUP}/${FLEET_VERSION}`, kind, metadata: { name }, spec },
});
const post = (by: KubeConnection, path: string, body: object) =>
  askKube(by, { method: 'POST', path: fleet(path), body }, signal);
const change = (by: KubeConnection, path: string, body: object) =>
  askKube(by, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }, signal);

const refusedBy = (message: RegExp) => ({ code: 'kube/forbidden', message });

type By<Names extends string> = Readonly<Record<Names, KubeConnection>>;

async function proveWriters({ admin, operator, nobody }: By<'admin' | 'operator' | 'nobody'>): Promise<void> {
  const update = objectOf('NodeUpdate', 'n1', { nodeUid: 'u', policy: 'p' });
  const rollout = objectOf('Rollout', 'r1', { release: 'r', policy: 'p', lane: 'Standard' });
  const onlyOperator = refusedBy(/only the fleet operator writes this/);
  // Policies come into force a moment after they are stored.
  for (let left = 50; left > 0; left--) {
    const isRefused = await post(admin, 'nodeupdates', update).then(
      () => false,
      () => true,
    );
    if (isRefused) break;
    await askKube(admin, { method: 'DELETE', path: fleet('nodeupdates/n1') }, signal);
    await setTimeout(200);
  }
  await assert.rejects(post(admin, 'nodeupdates', update), onlyOperator);
  await assert.rejects(post(admin, 'rollouts', rollout), onlyOperator);
  await assert.rejects(post(admin, 'capacityledgers', objectOf('CapacityLedger', 'p', {})), onlyOperator);
  await assert.rejects(post(nobody, 'nodeupdates', update), { code: 'kube/forbidden' });
  await post(operator, 'nodeupdates', update);
  await post(operator, 'rollouts', rollout);
  await post(operator, 'capacityledgers', objectOf('CapacityLedger', 'p', {}));
  const status = { status: { epoch: 1 } };
  await assert.rejects(change(admin, fleet('capacityledgers/p/status'), status), onlyOperator);
  await change(operator, fleet('capacityledgers/p/status'), status);
}

async function provePromotions(
  by: By<'admin' | 'operator' | 'editor' | 'promoter' | 'deleter'>,
): Promise<void> {
  const { admin, operator, editor, promoter, deleter } = by;
  const path = fleet('rollouts/r1');
  const spec = (fields: object) => ({ spec: fields });
  const lifting = refusedBy(/takes the verb "promote" on rollouts/);
  await change(editor, path, spec({ paused: true }));
  await change(editor, path, spec({ halt: 'pods crash on n1' }));
  for (const fields of [{ halt: '' }, { promotedWave: 1 }, { clearedHaltAt: '2026-11-22T00:00:00Z' }]) {
    await assert.rejects(change(editor, path, spec(fields)), lifting);
    await assert.rejects(change(operator, path, spec(fields)), lifting);
  }
  await assert.rejects(
    askKube(deleter, { method: 'DELETE', path }, signal),
    refusedBy(/deleted by who may lift the halt/),
  );
  await change(promoter, path, spec({ halt: '', promotedWave: 1, clearedHaltAt: '2026-11-22T00:00:00Z' }));
  await assert.rejects(askKube(promoter, { method: 'DELETE', path }, signal), { code: 'kube/forbidden' });
  await change(editor, path, spec({ halt: 'again' }));
  await change(admin, path, spec({ halt: '' }));
  await askKube(deleter, { method: 'DELETE', path }, signal);
}

async function proveNodeWrites({ admin, operator }: By<'admin' | 'operator'>): Promise<void> {
  const path = '/api/v1/nodes/n1';
  const own = { key: 'plinth.dev/update', effect: 'NoSchedule' };
  const nodeSchema = z.looseObject({ spec: z.looseObject({ taints: z.array(z.unknown()) }) });
  // The API server gives a new node taints of its own.
  const { taints } = nodeSchema.parse(await askKube(admin, { method: 'GET', path }, signal)).spec;
  await change(operator, path, { spec: { taints: [...taints, own] } });
  await assert.rejects(change(operator, path, { spec: { taints: [own] } }), refusedBy(/no taints but those/));
  await assert.rejects(
    change(operator, path, { spec: { unschedulable: true } }),
    refusedBy(/never changes spec.unschedulable/),
  );
  await assert.rejects(
    change(operator, path, { metadata: { labels: { pool: 'b' } } }),
    refusedBy(/no labels and no annotations/),
  );
  await change(operator, path, { spec: { taints } });
}
