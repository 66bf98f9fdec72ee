import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { eventually } from '@plinth/host/testing';
import {
  findKubernetesPrograms,
  freePorts,
  type KubernetesPrograms,
  startControlPlane,
} from '@plinth/image/testing';
import {
  applyObject,
  askKube,
  type KubeConnection,
  openKindMap,
  openKubeConnection,
  readClusterAccess,
} from '@plinth/kube';
import { FLEET_GROUP } from '../crd/index.ts';
import { fleetDecide, runOperator } from '../runtime/index.ts';
import { startFakeFleet } from '../testing/index.ts';
import { installManifests } from './manifests.ts';
import { FLEET_NAMESPACE, gatesNamespaceOf, userOf } from './names.ts';
import {
  CLUSTER_RIGHTS,
  EVENT_RIGHTS,
  GATE_RIGHTS,
  NAMESPACE_RIGHTS,
  PEER_RIGHTS,
  type Right,
} from './rights.ts';

// Least privilege, both ways: the operator brings nodes to a release as its own account, under the admission policies that are
// installed with it, and is refused nothing; and the audit log of the API server shows each right that it has being used.

const SYSTEMS = [
  { version: '1.0', rootHash: '0a'.repeat(32) },
  { version: '1.1', rootHash: '0b'.repeat(32) },
] as const;
const GATES = gatesNamespaceOf(FLEET_NAMESPACE);
const PATIENCE = { patienceMs: 300_000, everyMs: 200 } as const;
const JOB_TEMPLATE = {
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'smoke' } },
  data: { 'job.yaml': 'kind: Job\nspec: { template: { spec: { containers: [{ name: a, image: b }] } } }' },
};

const CONFIG = {
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'workers' }, immutable: true },
  data: { documents: 'kind: Sysctls\n' },
};

for (const kubernetes of (await findKubernetesPrograms()).slice(-1))
  test(
    `Kubernetes ${kubernetes.minor}: the operator does its work with the rights of its account, and uses each of them`,
    { skip: kubernetes.skip, timeout: 900_000 },
    () => prove(kubernetes),
  );

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes, { isAudited: true });
  const stop = new AbortController();
  const { signal } = stop;
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using admin = openKubeConnection(access, { maxSockets: 32 });
  const kinds = openKindMap(admin);
  const install = { namespace: FLEET_NAMESPACE, image: 'none', replicas: 1, mayDeletePods: false };
  for (const object of installManifests(install)) await applyObject(admin, kinds, object, 'test', signal);
  const [port = 0] = await freePorts(1);
  await using fleet = await startFakeFleet({
    ...{ connection: admin, nodes: 6, podsPerNode: 2, zones: 1, port, signal, systems: SYSTEMS },
    kubernetesVersion: `v${kubernetes.version}`,
    times: { stageMs: 300, endMs: 200, bootMs: 800, trialMs: 300 },
  });
  const post = (path: string, body: object) => askKube(admin, { method: 'POST', path, body }, signal);
  const group = `/apis/${FLEET_GROUP}/v1alpha1`;
  const object = (kind: string, name: string, spec: object) => ({
    ...{ apiVersion: `${FLEET_GROUP}/v1alpha1`, kind, metadata: { name }, spec },
  });
  const token = await post(`/api/v1/namespaces/${FLEET_NAMESPACE}/serviceaccounts/plinth-fleet/token`, {
    ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  const said: string[] = [];
  const operator = runOperator({
    access: {
      ...{ ...access, certificatePem: undefined, keyPem: undefined },
      token: (token as { status: { token: string } }).status.token,
    },
    ...{ decide: fleetDecide, signal, namespace: FLEET_NAMESPACE, podName: 'test', leaderNode: '' },
    identity: () => ({ certificatePem: fleet.served.certificatePem, keyPem: fleet.served.keyPem }),
    ...{ nodePort: port, observer: { host: '127.0.0.1', port: 0 }, spacingMs: 200, policyGapMs: 200 },
    // Nobody takes over here, so no busy machine may cost it the lease.
    leaseTimes: { durationMs: 120_000, renewDeadlineMs: 90_000, retryMs: 1_500 },
    say: (text) => void said.push(text),
  });
  await post(`/api/v1/namespaces/${GATES}/configmaps`, JOB_TEMPLATE);
  await post(`${group}/healthgates`, object('HealthGate', 'smoke', { job: { configMap: 'smoke' } }));
  await post(`/api/v1/namespaces/${FLEET_NAMESPACE}/configmaps`, CONFIG);
  const digest = createHash('sha256').update(CONFIG.data.documents).digest('hex');
  const config = {
    ...{ configMap: { namespace: FLEET_NAMESPACE, name: CONFIG.metadata.name, key: 'documents' }, digest },
  };
  await post(
    `${group}/plinthreleases`,
    object('PlinthRelease', 'r1', { os: SYSTEMS[1], severity: 'High', config }),
  );
  await post(
    `${group}/updatepolicies`,
    object('UpdatePolicy', 'workers', {
      ...{ nodeSelector: { matchLabels: { fleet: 'fake' } }, release: 'r1' },
      capacity: { maxUnavailable: 2 },
      topology: { maxUnavailablePerDomain: '100%' },
      waves: [{ upTo: '100%', soak: '0s' }],
      nodeHealth: { ready: '1s', soak: '1s' },
      pace: { mode: 'Fastest' },
      churn: { maxStaging: '100%' },
      gates: ['smoke'],
    }),
  );
  try {
    await endJob(admin, signal);
    await eventually(
      async () =>
        [...fleet.machines.values()].every(
          ({ booted, isUp, config: { text } }) =>
            isUp && booted.version === '1.1' && text === CONFIG.data.documents,
        ),
      PATIENCE,
    );
  } catch (cause) {
    throw new Error(`not all came to it:\n${said.slice(-30).join('\n')}`, { cause });
  } finally {
    stop.abort();
    await operator;
  }
  const calls = await auditOf(plane.at('audit.log'), userOf(FLEET_NAMESPACE));
  const refused = calls.filter(({ responseStatus }) => responseStatus?.code === 403);
  assert.deepEqual(refused.map(wordsOf), [], 'the operator was refused something it does');
  // A rollout's spec is changed only to raise its lane, which took no part here.
  const seldom = [`patch ${FLEET_GROUP}/rollouts`];
  const unused = granted()
    .difference(new Set(calls.map(wordsOf)))
    .difference(new Set(seldom));
  assert.deepEqual([...unused], [], 'the operator has rights that it does not use');
}

/** No controller runs here: the Job of the gate is ended by hand, well. */
async function endJob(admin: KubeConnection, signal: AbortSignal): Promise<void> {
  const jobs = `/apis/batch/v1/namespaces/${GATES}/jobs`;
  const name = await eventually(async () => {
    const list = await askKube(admin, { method: 'GET', path: jobs }, signal);
    const { items } = list as { items: { metadata: { name: string } }[] };
    return items[0]?.metadata.name ?? false;
  }, PATIENCE);
  const at = new Date().toISOString();
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
    ...{ type, status: 'True', lastTransitionTime: at },
  }));
  const body = { status: { startTime: at, completionTime: at, succeeded: 1, conditions } };
  const path = `${jobs}/${name}/status`;
  const contentType = 'application/merge-patch+json';
  await askKube(admin, { method: 'PATCH', path, body, contentType }, signal);
}

interface AuditLine {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

async function auditOf(path: string, username: string): Promise<readonly AuditLine[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as AuditLine).filter(({ user }) => user.username === username);
}

function wordsOf({ verb, objectRef }: AuditLine): string {
  if (objectRef === undefined) return `${verb} (no object)`;
  const { apiGroup = '', resource, subresource } = objectRef;
  return `${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

function granted(): ReadonlySet<string> {
  const all: readonly Right[] = [
    ...CLUSTER_RIGHTS,
    ...NAMESPACE_RIGHTS,
    ...EVENT_RIGHTS,
    ...PEER_RIGHTS,
    ...GATE_RIGHTS,
  ];
  return new Set(
    all.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((each) => verbs.map((verb) => `${verb} ${group}/${each}`)),
      ),
    ),
  );
}
