import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { askKube, type KubeConnection, openKubeConnection, readClusterAccess } from '@plinth/kube';
import { runCli } from '../run-cli.ts';

// The commands of fleets against a real API server: installed with real keys, then a rollout as the operator would write it,
// steered by a person, and everything removed again. What is written as the operator comes with its own account's token.

const signal = AbortSignal.timeout(280_000);
const FLEET = '/apis/fleet.plinth.dev/v1alpha1';

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: a fleet is installed, looked at, steered and removed by commands`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const home = await mkdtemp(join(tmpdir(), 'plinth-fleet-commands-'));
  try {
    const kubeconfig = plane.at('super-admin.conf');
    const env = { HOME: home, KUBECONFIG: kubeconfig, PLINTH_KEYS: join(home, 'keys'), NO_COLOR: '1' };
    const plinth = (...argv: string[]) => call(argv, env);
    const access = await readClusterAccess(kubeconfig, undefined, signal);
    using admin = openKubeConnection(access);
    await proveInstall(plinth, admin);
    using operator = openKubeConnection({
      ...{ ...access, certificatePem: undefined, keyPem: undefined },
      token: await tokenOf(admin),
    });
    await fill(admin, operator);
    await provePlan(plinth);
    await proveStatus(plinth);
    await proveSteering(plinth, admin, operator);
    await proveUninstall(plinth, operator);
  } finally {
    await rm(home, { recursive: true });
  }
}

type Plinth = (...argv: string[]) => Promise<Said>;

async function call(argv: readonly string[], env: Record<string, string>): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const world = {
    stdout: { isTTY: true, columns: 80, write: (text: string | Uint8Array) => out.push(String(text)) },
    stderr: { write: (text: string | Uint8Array) => err.push(String(text)) },
    env,
  };
  const code = await runCli(['-q', ...argv], world, signal);
  const said = { code, out: out.join(''), err: err.join('') };
  if (process.env['PLINTH_SHOW'] !== undefined)
    console.log(`$ plinth ${argv.join(' ')}\n${said.out}${said.err}`);
  return said;
}

async function proveInstall(plinth: Plinth, admin: KubeConnection): Promise<void> {
  const before = await plinth('fleet', 'status');
  assert.equal(before.code, 1);
  assert.match(before.err, /fleet\/not-installed/);
  assert.equal((await plinth('keys', 'init')).code, 0);
  const install = ['fleet', 'install', '--image', 'registry.example/plinth-fleet:1'];
  const printed = await plinth(...install, '--print');
  assert.match(printed.out, /kind: Deployment/);
  assert.doesNotMatch(printed.out, /kind: Secret|PRIVATE KEY/);
  const done = await plinth(...install, '--ttl', '7d');
  assert.equal(done.code, 0, done.err);
  const secret = async () =>
    (await get(admin, '/api/v1/namespaces/plinth-fleet/secrets/plinth-fleet-node-access')) as {
      data: Record<string, string>;
    };
  const first = await secret();
  const certificate = new X509Certificate(Buffer.from(first.data['tls.crt'] ?? '', 'base64'));
  assert.match(certificate.subject, /O=plinth:operator[\s\S]*CN=fleet-operator/);
  const unmonitored = await plinth(...install, '--ttl', '7d', '--monitoring');
  assert.match(unmonitored.err, /kube\/not-found[\s\S]*no Prometheus operator[\s\S]*itself is installed/);
  // A certificate that is good for a while stays; one that is not is replaced.
  assert.equal((await plinth(...install, '--ttl', '7d')).code, 0);
  assert.deepEqual((await secret()).data, first.data);
  assert.equal((await plinth(...install, '--ttl', '90d')).code, 0);
  assert.notDeepEqual((await secret()).data, first.data);
}

async function get(by: KubeConnection, path: string): Promise<unknown> {
  return askKube(by, { method: 'GET', path }, signal);
}

async function tokenOf(admin: KubeConnection): Promise<string> {
  const path = '/api/v1/namespaces/plinth-fleet/serviceaccounts/plinth-fleet/token';
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600 },
  };
  const answer = (await askKube(admin, { method: 'POST', path, body }, signal)) as {
    status: { token: string };
  };
  return answer.status.token;
}

const create = (by: KubeConnection, plural: string, kind: string, name: string, spec?: object) =>
  askKube(
    by,
    {
      ...({ method: 'POST', path: `${FLEET}/${plural}` } as const),
      body: { apiVersion: 'fleet.plinth.dev/v1alpha1', kind, metadata: { name }, ...(spec && { spec }) },
    },
    signal,
  );
const setStatus = (by: KubeConnection, path: string, status: object) =>
  askKube(
    by,
    {
      ...({ method: 'PATCH', path: `${FLEET}/${path}/status`, body: { status } } as const),
      contentType: 'application/merge-patch+json',
    },
    signal,
  );

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const pdb = {
  code: 'drain/budget',
  text: 'PodDisruptionBudget shop/web allows no eviction of pod web-6b7f9 for now',
};
const rolloutStatus = {
  ...{
    phase: 'Progressing',
    since: ago(90),
    startedAt: ago(200),
    deadline: ago(-600),
    wave: 2,
    concurrency: 3,
  },
  counts: { Total: 120, Done: 41, Remaining: 79, InFlight: 3, Staged: 12, Waiting: 64 },
  bound: {
    ...{ name: 'maxUnavailable', value: 3, need: 5 },
    advice: 'The deadline needs 5 nodes at once: raise capacity.maxUnavailable to 5 %.',
  },
  etaSeconds: 47_000,
  failures: [
    { node: 'worker-17', at: ago(30), reason: { code: 'node/not-ready', text: 'not Ready for 5 minutes' } },
  ],
  blockers: [{ node: 'worker-23', reason: pdb, since: ago(50) }],
  conditions: [
    {
      ...{ type: 'DeadlineAtRisk', status: 'True', reason: 'BoundTooSmall', lastTransitionTime: ago(50) },
      message: 'needs 13h 03m, the deadline is in 10h 00m',
    },
  ],
};

/** A node that is Ready, in one of three zones, of one of two kinds of hardware. */
async function addNode(admin: KubeConnection, index: number): Promise<void> {
  const name = `worker-${index}`;
  const labels = {
    pool: 'workers',
    'topology.kubernetes.io/zone': `zone-${index % 3}`,
    'node.kubernetes.io/instance-type': index % 4 === 0 ? 'large' : 'small',
  };
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
  await askKube(admin, { method: 'POST', path: '/api/v1/nodes', body }, signal);
  const ready = {
    ...{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' },
    ...{ lastHeartbeatTime: ago(1), lastTransitionTime: ago(500) },
  };
  const room = { cpu: '8', memory: '32Gi', pods: '110' };
  const status = {
    ...{ conditions: [ready], capacity: room, allocatable: room },
    addresses: [{ type: 'InternalIP', address: `192.0.2.${index}` }],
  };
  const path = `/api/v1/nodes/${name}/status`;
  const patch = { body: { status }, contentType: 'application/strategic-merge-patch+json' };
  await askKube(admin, { method: 'PATCH', path, ...patch }, signal);
}

async function fill(admin: KubeConnection, operator: KubeConnection): Promise<void> {
  for (let index = 12; index < 24; index++) await addNode(admin, index);
  await create(admin, 'plinthreleases', 'PlinthRelease', 'plinth-1.9.0', {
    os: { version: '1.9.0', rootHash: 'a'.repeat(64) },
  });
  await create(admin, 'updatepolicies', 'UpdatePolicy', 'workers', {
    nodeSelector: { matchLabels: { pool: 'workers' } },
    release: 'plinth-1.9.0',
  });
  await create(admin, 'plinthreleases', 'PlinthRelease', 'plinth-1.9.1', {
    os: { version: '1.9.1', rootHash: 'b'.repeat(64) },
  });
  await create(operator, 'capacityledgers', 'CapacityLedger', 'workers');
  const condition = (type: string, status: string, message: string) => ({
    ...{ type, status, message, reason: 'Test', lastTransitionTime: ago(5) },
  });
  await setStatus(operator, 'updatepolicies/workers', {
    matchedNodes: 12,
    conditions: [
      condition('Conflict', 'True', 'not touched, as other policies select them too: worker-12 (all)'),
      condition('ReleaseFound', 'True', ''),
    ],
  });
  await create(operator, 'rollouts', 'Rollout', 'workers-plinth-1.9.0', {
    ...{ release: 'plinth-1.9.0', policy: 'workers', lane: 'Standard' },
  });
  await setStatus(operator, 'rollouts/workers-plinth-1.9.0', rolloutStatus);
  await create(operator, 'nodeupdates', 'NodeUpdate', 'worker-23', { nodeUid: 'u', policy: 'workers' });
  await setStatus(operator, 'nodeupdates/worker-23', {
    progress: {
      ...{ phase: 'Draining', since: ago(3), attempts: 1, reason: pdb, denied: [], escalated: false },
      ...{ starts: 0, failures: 0 },
    },
  });
}

/** The order, the waves and the bounds are those of the operator's own functions; their values are tested there. */
async function provePlan(plinth: Plinth): Promise<void> {
  const planned = await plinth('rollout', 'plan', 'workers', '--release', 'plinth-1.9.1');
  assert.equal(planned.code, 0, planned.err);
  assert.match(planned.out, /plinth-1.9.1, lane Standard[\s\S]*12 of 12 are left[\s\S]*worker-/);
  const none = await plinth('rollout', 'plan', 'workers', '--release', 'plinth-2');
  assert.match(none.out, /there is no PlinthRelease plinth-2/);
  const unknown = await plinth('rollout', 'plan', 'masters');
  assert.deepEqual([unknown.code, /fleet\/unknown-policy/.test(unknown.err)], [2, true]);
}

async function proveStatus(plinth: Plinth): Promise<void> {
  const shown = [
    await plinth('fleet', 'status'),
    await plinth('fleet', 'status', '--nodes'),
    await plinth('rollout', 'status'),
    await plinth('rollout', 'status', 'workers'),
  ];
  for (const { code, out, err } of shown) {
    assert.equal(code, 0, err);
    // Reasons are never cut: a terminal breaks their lines.
    for (const line of out.split('\n').filter((each) => !/^(?: {2}|\S+: )/.test(each)))
      assert.ok(line.length <= 80, `wider than 80 columns: ${line}`);
  }
  const [fleet, nodes, all, one] = shown.map(({ out }) => out);
  assert.match(
    fleet ?? '',
    /0 of 2 ready, registry.example\/plinth-fleet:1[\s\S]*workers .* 12 .*Progressing +41\/120[\s\S]*workers: Conflict .*worker-12 \(all\)/,
  );
  assert.doesNotMatch(fleet ?? '', /ReleaseFound/);
  assert.match(nodes ?? '', /worker-23 +workers +Draining/);
  assert.match(all ?? '', /workers-plinth-1.9.0 +Standard +Progressing +3 +41\/120 +13h 03m/);
  assert.match(
    one ?? '',
    /3 of 5: up to 5%[\s\S]*raise capacity.maxUnavailable[\s\S]*worker-17[\s\S]*worker-23/,
  );
  const unknown = await plinth('rollout', 'status', 'other');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /fleet\/unknown-rollout/);
}

async function proveSteering(plinth: Plinth, admin: KubeConnection, operator: KubeConnection): Promise<void> {
  const path = `${FLEET}/rollouts/workers-plinth-1.9.0`;
  const spec = async () => ((await get(admin, path)) as { spec: Record<string, unknown> }).spec;
  const done = async (...argv: string[]) => {
    const { code, err } = await plinth('rollout', ...argv);
    assert.equal(code, 0, err);
    return spec();
  };
  assert.equal((await done('pause', 'workers'))['paused'], true);
  assert.equal((await done('resume', 'workers'))['paused'], false);
  assert.equal((await done('halt', 'workers', '--reason', 'pods crash'))['halt'], 'pods crash');
  // Nobody is there to be asked.
  assert.equal((await plinth('rollout', 'promote', 'workers')).code, 2);
  const lifted = await done('promote', 'workers', '--yes');
  assert.deepEqual([lifted['halt'], lifted['promotedWave']], ['', 0]);
  assert.ok(Date.parse(String(lifted['clearedHaltAt'])) > Date.now() - 60_000);
  assert.equal((await done('promote', 'workers', '--yes'))['promotedWave'], 3);
  assert.equal((await done('abort', 'workers', '--rollback', '--yes'))['abort'], 'Rollback');
  const back = await plinth('rollout', 'abort', 'workers', '--yes');
  assert.match(back.err, /kube\/invalid[\s\S]*not taken back/);
  await setStatus(operator, 'rollouts/workers-plinth-1.9.0', { phase: 'Stopped' });
  const over = await plinth('rollout', 'pause', 'workers-plinth-1.9.0');
  assert.match(over.err, /fleet\/rollout-over/);
}

async function proveUninstall(plinth: Plinth, operator: KubeConnection): Promise<void> {
  const entry = { node: 'worker-23', uid: 'u', rollout: 'r', domain: '', since: ago(3) };
  await setStatus(operator, 'capacityledgers/workers', { entries: [entry] });
  const refused = await plinth('fleet', 'uninstall', '--yes');
  assert.match(refused.err, /fleet\/in-flight[\s\S]*worker-23|worker-23[\s\S]*fleet\/in-flight/);
  await setStatus(operator, 'capacityledgers/workers', { entries: [] });
  const kept = await plinth('fleet', 'uninstall', '--yes');
  assert.equal(kept.code, 0, kept.err);
  assert.match((await plinth('fleet', 'status')).out, /no Deployment[\s\S]*workers/);
  assert.equal((await plinth('fleet', 'uninstall', '--kinds', '--yes')).code, 0);
}
