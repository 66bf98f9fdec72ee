import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { makeDefinitions, NODE_METHODS } from '@plinth/fleet';
import { fleetDecide, runOperator } from '@plinth/fleet/runtime';
import { startFakeFleet, watchAudit } from '@plinth/fleet/testing';
import { eventually } from '@plinth/host/testing';
import { findKubernetesPrograms, freePorts, startControlPlane } from '@plinth/image/testing';
import { askKube, openKubeConnection, readClusterAccess } from '@plinth/kube';

// The operator against a real API server, with nodes that speak plinthd's API over TLS and take their time; the auditor watches.

const SYSTEMS = [
  { version: '1.0', rootHash: '0a'.repeat(32) },
  { version: '1.1', rootHash: '0b'.repeat(32) },
] as const;
const GROUP = '/apis/fleet.plinth.dev/v1alpha1';
/** Twenty nodes, two at a time, take a minute and a half; a machine that others use takes longer. */
const PATIENCE = { patienceMs: 300_000, everyMs: 100 };
const kubernetes = (await findKubernetesPrograms()).at(-1);
const skip = kubernetes ? kubernetes.skip : 'no Kubernetes is known';

/** A cluster with so many nodes, a policy for two at a time, and the auditor. */
async function openWorld(nodes: number, { from = '' } = {}) {
  assert.ok(kubernetes);
  await using opened = new AsyncDisposableStack();
  const plane = opened.use(await startControlPlane(kubernetes));
  const stop = new AbortController();
  const { signal } = stop;
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  const connection = opened.use(openKubeConnection(access, { maxSockets: 32 }));
  const call = (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object, contentType?: string) =>
    connection.call({ method, path, ...(body && { body }), ...(contentType && { contentType }) }, signal);
  const post = (path: string, body: object) => askKube(connection, { method: 'POST', path, body }, signal);
  const make = (plural: string, kind: string, name: string, spec: object) =>
    post(`${GROUP}/${plural}`, { apiVersion: GROUP.slice('/apis/'.length), kind, metadata: { name }, spec });
  for (const definition of makeDefinitions())
    await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  await eventually(async () => (await call('GET', `${GROUP}/nodeupdates`)).status === 200);
  await post('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'plinth-fleet' },
  });
  const audit = opened.use(watchAudit(connection, signal));
  const [port = 0] = await freePorts(1);
  const fleet = opened.use(
    await startFakeFleet({
      ...{ connection, nodes, podsPerNode: 2, zones: 1, port, signal, systems: SYSTEMS },
      ...{ kubernetesVersion: `v${from || kubernetes.version}`, layers: [kubernetes.version] },
      newestHotLayer: 3,
      started: audit.started,
      times: { stageMs: 300, endMs: 200, bootMs: 800, trialMs: 300 },
    }),
  );
  const said: string[] = [];
  const operators: Promise<unknown>[] = [];
  opened.defer(async () => {
    stop.abort();
    await Promise.all(operators);
  });
  const rest = opened.move();
  return {
    ...{ plane, fleet, audit, call, said, post, version: kubernetes.version },
    /** Names the release in a policy: the rollout begins. */
    async release(parts: object = { os: SYSTEMS[1] }) {
      await make('plinthreleases', 'PlinthRelease', 'r1', parts);
      await make('updatepolicies', 'UpdatePolicy', 'workers', {
        ...{ nodeSelector: { matchLabels: { fleet: 'fake' } }, release: 'r1' },
        capacity: { maxUnavailable: 2, headroom: { enabled: false } },
        topology: { maxUnavailablePerDomain: '100%' },
        waves: [
          { name: 'canary', perClass: 1, soak: '1s' },
          { upTo: '100%', soak: '0s' },
        ],
        nodeHealth: { ready: '1s', soak: '1s' },
        pace: { mode: 'Fastest' },
        churn: { maxStaging: '100%' },
      });
    },
    /** An operator beside others; it is told to end by its own signal. */
    operate(name: string): AbortController {
      const end = new AbortController();
      const running = runOperator({
        ...{ access, decide: fleetDecide, signal: AbortSignal.any([signal, end.signal]) },
        identity: () => ({ certificatePem: fleet.served.certificatePem, keyPem: fleet.served.keyPem }),
        ...{ namespace: 'plinth-fleet', podName: name, leaderNode: '', nodePort: port },
        ...{ observer: { host: '127.0.0.1', port: 0 }, say: (text) => void said.push(`${name}: ${text}`) },
        ...{ spacingMs: 200, policyGapMs: 200 },
        // One that ends lets go of it; a busy machine costs nobody the lease.
        leaseTimes: { durationMs: 120_000, renewDeadlineMs: 90_000, retryMs: 1_500 },
      });
      operators.push(running);
      return end;
    },
    async until(ask: () => boolean | Promise<boolean>) {
      try {
        await eventually(async () => ask(), PATIENCE);
      } catch (cause) {
        const shown = await plane.kubectl('get', 'nodeupdates,rollouts', '-o=wide');
        throw new Error(`not in time:\n${said.slice(-30).join('\n')}\n${shown}`, { cause });
      }
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

const SETTINGS = 'kind: Sysctls\n';

/** Puts documents where a release may name them. */
async function putDocuments(
  post: (path: string, body: object) => Promise<unknown>,
  text: string,
  name = 'documents',
) {
  await post('/api/v1/namespaces/plinth-fleet/configmaps', {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, immutable: true, data: { text } },
  });
  return {
    configMap: { namespace: 'plinth-fleet', name, key: 'text' },
    digest: createHash('sha256').update(text).digest('hex'),
  };
}

function kubernetesPart(version: string) {
  return { version, layerDigest: '0c'.repeat(32) };
}

function previousPatch(version: string): string {
  const [major, minor, patch = '0'] = version.split('.');
  return Number(patch) > 0 ? `${major}.${minor}.${Number(patch) - 1}` : `${major}.${Number(minor) - 1}.0`;
}

async function isDone({ plane }: { readonly plane: { kubectl(...args: string[]): Promise<string> } }) {
  const phases = await plane.kubectl('get', 'nodeupdates', '-o=jsonpath={.items[*].status.progress.phase}');
  const words = phases.trim().split(/\s+/);
  return words.length > 1 && words.every((phase) => phase === 'Done');
}

/** The operator's role on nodes, as documented, has every method that it called. */
async function assertOwnRights(machines: readonly { readonly called: ReadonlySet<string> }[]) {
  const allowed = new Set(NODE_METHODS.map((method) => (method.split('.')[1] ?? '').toLowerCase()));
  for (const { called } of machines)
    for (const name of called) assert.ok(allowed.has(name.toLowerCase()), `${name} is not in NODE_METHODS`);
}

suite('the operator at a real API server', { skip }, () => {
  test('twenty nodes come to a release, two at a time, each by one permitted start, though another operator takes over (CLUO 45: a restart forgets)', {
    timeout: 480_000,
  }, async () => {
    await using world = await openWorld(20);
    const machines = [...world.fleet.machines.values()];
    const done = () => machines.filter(({ booted, isUp }) => isUp && booted.version === '1.1').length;
    const first = world.operate('first');
    await world.until(() => world.said.some((text) => text.startsWith('first: leads')));
    world.operate('second');
    await world.release();
    await world.until(() => done() >= 4);
    first.abort();
    let most = 0;
    await world.until(() => {
      most = Math.max(most, machines.filter(({ isUp }) => !isUp).length);
      return done() === machines.length;
    });
    assert.ok(world.said.some((text) => text.startsWith('second: leads')));
    assert.ok(most <= 2, `${most} nodes were away at the same time`);
    const reboots = world.fleet.reboots();
    assert.deepEqual([reboots.length, new Set(reboots.map(({ nonce }) => nonce)).size], [20, 20]);
    await world.until(() => world.audit.slots.at(-1)?.count === 0);
    const { violations, observed } = await world.audit.end();
    assert.deepEqual(violations, []);
    assert.ok(observed > 400, `the auditor saw ${observed} changes`);
  });

  test('a release that a node falls back from goes no further (karpenter-provider-aws 3979: one node after the other)', {
    timeout: 480_000,
  }, async () => {
    await using world = await openWorld(6);
    for (const machine of world.fleet.machines.values()) machine.character = 'falls-back';
    world.operate('only');
    await world.release();
    const rollout = async () =>
      (await world.plane.kubectl('get', 'rollouts', '-o=jsonpath={.items[*].status.phase}')).trim();
    await world.until(async () => (await rollout()) === 'Halted');
    await world.until(() => world.audit.slots.at(-1)?.count === 0);
    const tried = new Set(world.fleet.reboots().map(({ node }) => node));
    assert.equal(tried.size, 1, 'only the canary was tried');
    for (const { booted, isUp } of world.fleet.machines.values())
      assert.deepEqual([booted.version, isUp], ['1.0', true]);
    assert.deepEqual((await world.audit.end()).violations, []);
  });

  test('Kubernetes, config, hot layer and system of a release come in one disruption: one drain and one reboot of each node', {
    timeout: 480_000,
  }, async () => {
    // One patch version back: the API server runs the newer one.
    const before = previousPatch(kubernetes?.version ?? '');
    await using world = await openWorld(4, { from: before });
    const config = await putDocuments(world.post, `${SETTINGS}options: [noatime]\n---\nkind: Volume\n`);
    world.operate('only');
    await world.release({
      os: SYSTEMS[1],
      config,
      kubernetes: kubernetesPart(world.version),
      hotLayer: { serial: 3, rootHash: '0d'.repeat(32) },
    });
    const machines = [...world.fleet.machines.values()];
    await world.until(
      async () =>
        machines.every(({ booted, isUp }) => isUp && booted.version === '1.1') && (await isDone(world)),
    );
    for (const machine of machines) {
      assert.equal(machine.kubernetes, world.version);
      assert.match(machine.config.text, /noatime/);
      assert.deepEqual([machine.hotLayer, machine.reboots.length], [3, 1], 'one disruption');
      assert.deepEqual(machine.config.reasons, ['provisioning', 'fleet r1'], 'applied once');
    }
    assert.deepEqual((await world.audit.end()).violations, []);
    await assertOwnRights(machines);
  });

  test('a config that needs no reboot reaches nodes without a drain; a node that is not healthy with it goes back, and no further', {
    timeout: 480_000,
  }, async () => {
    await using world = await openWorld(4);
    const config = await putDocuments(world.post, SETTINGS);
    world.operate('only');
    await world.release({ config, rebootRequired: false });
    await world.until(() => isDone(world));
    const machines = [...world.fleet.machines.values()];
    for (const machine of machines) {
      assert.deepEqual([machine.reboots.length, machine.config.text], [0, SETTINGS]);
      assert.deepEqual(machine.config.reasons, ['provisioning', 'fleet r1']);
    }
    const pods = (await world.plane.kubectl('get', 'pods', '-o=name')).trim().split('\n');
    assert.equal(pods.length, 8, 'no pod was asked to go');
    for (const machine of machines) machine.character = 'config-fails';
    const bad = await putDocuments(world.post, `${SETTINGS}bad: true\n`, 'bad');
    await world.post(`${GROUP}/plinthreleases`, {
      ...{ apiVersion: GROUP.slice('/apis/'.length), kind: 'PlinthRelease', metadata: { name: 'r2' } },
      spec: { config: bad, rebootRequired: false },
    });
    await world.plane.kubectl(
      'patch',
      'updatepolicy',
      'workers',
      '--type=merge',
      '-p={"spec":{"release":"r2"}}',
    );
    const halted = async () =>
      (await world.plane.kubectl('get', 'rollouts', '-o=jsonpath={.items[*].status.phase}')).includes(
        'Halted',
      );
    await world.until(halted);
    await world.until(() => world.audit.slots.at(-1)?.count === 0);
    const tried = machines.filter((machine) => machine.config.reasons.includes('fleet r2'));
    assert.equal(tried.length, 1, 'only the canary was tried');
    for (const machine of machines) assert.equal(machine.config.text, SETTINGS, 'on the config before');
    assert.deepEqual((await world.audit.end()).violations, []);
  });

  test('a write that changes nothing is refused too when the object has changed: what fences lean on', {
    timeout: 180_000,
  }, async () => {
    assert.ok(kubernetes);
    await using plane = await startControlPlane(kubernetes);
    const { signal } = new AbortController();
    const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
    using connection = openKubeConnection(access);
    const path = '/api/v1/namespaces/default';
    const read = async () => JSON.parse((await connection.call({ method: 'GET', path }, signal)).text);
    const before = await read();
    const patch = (metadata: object, labels: object) => {
      const values = Object.entries(metadata).map(([name, value]) => ({
        op: 'replace',
        path: `/metadata/${name}`,
        value,
      }));
      const body = [...values, { op: 'add', path: '/metadata/labels', value: labels }];
      const asked = { method: 'PATCH', path, body, contentType: 'application/json-patch+json' } as const;
      return connection.call(asked, signal);
    };
    const { uid, resourceVersion, labels } = before.metadata;
    assert.equal((await patch({ uid, resourceVersion }, labels)).status, 200);
    assert.equal((await patch({ uid, resourceVersion }, { ...labels, a: 'b' })).status, 200);
    assert.equal((await patch({ uid, resourceVersion }, { ...labels, a: 'b' })).status, 409);
    const now = (await read()).metadata.resourceVersion;
    assert.equal(
      (await patch({ uid: 'another', resourceVersion: now }, labels)).status,
      422,
      'another object of the name',
    );
  });
});
