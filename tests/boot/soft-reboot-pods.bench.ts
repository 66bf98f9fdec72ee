import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ActState, BootState, ContainerState, type NodeClient, UpdatePhase } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, findLayers, openBootLab } from '../testkit/boot-lab.ts';
import { layerDrive } from '../testkit/layers.ts';
import { joinConfig } from '../testkit/owner.ts';
import { type KubeAccess, openKubeAccess } from '../testkit/updates/kube-access.ts';
import { type Probe, reportOutages, watchOutages } from '../testkit/updates/outages.ts';
import { good } from '../testkit/updates/recipes.ts';
import { openUpdateLab, stageWhole, type UpdateLab, untilUpdate } from '../testkit/updates/update-lab.ts';

// For bench/restart.ts; no part of the boot tests, whose machines would wait for it. A cluster of one machine that goes to another version by soft-reboot, and then through the firmware: which containers live on, and for how
// long nobody answers.

const NODE = 'pods';
const NEXT = '0.2.0';
/** A control plane takes a quarter of an hour to come up without KVM. */
const LIMIT_MS = 1_800_000;
const CARD = { group: '239.255.77.1', port: 21_078, mac: '52:54:00:0a:05:0c' } as const;
const ADDRESS = '10.77.0.12';

suite('pods of a node that goes by soft-reboot', () => {
  let lab: BootLab;
  let updates: UpdateLab;
  let booted: BootedImage;
  let client: NodeClient;
  let kube: KubeAccess;
  let atFirst: ReadonlyMap<string, string>;

  before(async () => {
    lab = await openBootLab();
    updates = await openUpdateLab(lab);
    await updates.publish(good(NEXT));
    const layer = (await findLayers()).at(-1);
    assert.ok(layer);
    booted = await bootImage(lab, NODE, {
      title: 'first boot',
      expected: 'ready',
      spec: {
        ...{ onReboot: 'restart', memoryMiB: 3072, clusterCard: CARD, kubernetesPort: 0 },
        machineConfig: joinConfig(
          lab.owner.machineConfig(NODE, {
            network: { interfaces: [{ mac: CARD.mac, addresses: [`${ADDRESS}/24`] }] },
          }),
          { kind: 'UpdatePolicy', channel: 'stable', sources: [updates.address], health: {} },
        ),
        extraDrives: [layerDrive(layer.path, layer.version)],
      },
    });
    client = lab.owner.connect(endpointOf(booted));
    await client.kubernetes.bootstrap({
      cluster: { name: NODE, controlPlanesTakeWorkloads: true, apiServerNames: ['127.0.0.1'] },
      ...{ kubernetesVersion: layer.version, nodeAddress: ADDRESS },
    });
    await eventually(async () => assert.equal((await client.kubernetes.get()).act?.state, ActState.DONE), {
      patienceMs: LIMIT_MS,
      everyMs: 2_000,
    });
    const { kubernetesPort } = booted.machine.record;
    assert.ok(kubernetesPort);
    kube = await openKubeAccess(client, kubernetesPort);
  });
  after(async () => {
    client?.close();
    await updates?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const until = (what: string, isWanted: Parameters<typeof untilUpdate>[3]) =>
    untilUpdate(booted.machine, client, what, isWanted, LIMIT_MS);
  /** Ids by pod and name. */
  const running = async () => {
    const { containers } = await client.containers.containers();
    const up = containers.filter(({ state }) => state === ContainerState.RUNNING);
    return new Map(up.map(({ namespace, pod, name, id }) => [`${namespace}/${pod}/${name}`, id]));
  };
  const probes = (): Probe[] => {
    const web = '/api/v1/namespaces/default/pods/web:8080/proxy/';
    return [
      { what: 'API of the node', ask: () => client.getIdentity() },
      { what: 'API server of Kubernetes', ask: (signal) => kube.get('/readyz', signal) },
      { what: 'kubelet', ask: (signal) => kube.get(`/api/v1/nodes/${NODE}/proxy/healthz`, signal) },
      { what: 'a pod', ask: (signal) => kube.get(web, signal) },
    ];
  };
  test('run: those of the control plane and one that serves', async () => {
    const pod = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } },
      spec: {
        containers: [{ name: 'web', image: 'plinth.local/probe:0.1.0', args: ['serve', ':8080'] }],
        tolerations: [{ operator: 'Exists' }],
      },
    };
    await eventually(
      async () => assert.ok([201, 409].includes(await kube.post('/api/v1/namespaces/default/pods', pod))),
      {
        ...{ patienceMs: LIMIT_MS, everyMs: 2_000 },
      },
    );
    await eventually(() => Promise.all(probes().map(({ ask }) => ask(AbortSignal.timeout(10_000)))), {
      ...{ patienceMs: LIMIT_MS, everyMs: 2_000 },
    });
    await until('kept', ({ booted: at }) => at?.state === BootState.GOOD);
    assert.equal((await stageWhole(client, NEXT)).phase, UpdatePhase.STAGED);
    atFirst = await running();
    assert.ok(atFirst.size >= 8, [...atFirst.keys()].join());
  });

  test('live on over a soft-reboot', async () => {
    const watch = watchOutages(probes());
    const { startWay } = await client.update.activate(NEXT, { fastest: true });
    assert.equal(startWay?.softReboot, true, startWay?.reasons.join() ?? '');
    await until('healthy on the new version', ({ booted: at, phase }) => {
      return at?.version === NEXT && phase === UpdatePhase.COMMITTED;
    });
    const outages = await watch.stop();
    await reportOutages(lab.reportFolder, 'soft-reboot', outages);
    const now = await running();
    const lost = [...atFirst].filter(([name, id]) => now.get(name) !== id).map(([name]) => name);
    assert.deepEqual(lost, []);
  });

  test('start anew over a full reboot', async () => {
    const watch = watchOutages(probes());
    await client.machine.reboot({ reason: 'a test' });
    await until('kept', ({ booted: at }) => at?.state === BootState.GOOD && at.version === NEXT);
    await eventually(() => Promise.all(probes().map(({ ask }) => ask(AbortSignal.timeout(10_000)))), {
      ...{ patienceMs: LIMIT_MS, everyMs: 1_000 },
    });
    await reportOutages(lab.reportFolder, 'full-reboot', await watch.stop());
    const now = await running();
    assert.ok([...atFirst].every(([name, id]) => now.get(name) !== id));
  });
});
