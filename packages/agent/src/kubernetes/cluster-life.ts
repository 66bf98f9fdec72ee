import { PlinthError } from '@plinth/base';
import type { NodeConsole } from '../console.ts';
import type { EtcdOperations } from '../etcd/etcd-operations.ts';
import { repeat } from '../repeat.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readText, type Sys } from '../sys/sys.ts';
import type { VarKeys } from '../var-key/open-var-keys.ts';
import { listApiServers } from './access/api-servers.ts';
import { readAdminCredentials, readNodeCredentials } from './access/credentials.ts';
import { type KubeClient, openKubeClient } from './access/kube-client.ts';
import type { Admissions } from './admission/admission.ts';
import { runApprover } from './approve/run-approver.ts';
import { openBalancer } from './balance/open-balancer.ts';
import { probeServer, runBalancer } from './balance/run-balancer.ts';
import { keepServers } from './balance/server-list.ts';
import { bringKey } from './escrow/escrow-secret.ts';
import { openEscrowGrants } from './escrow/grant-escrow.ts';
import { keepLabels } from './labels/keep-labels.ts';
import { imageOf } from './layers/layer-manifest.ts';
import type { ClusterLife, EnteredCluster } from './open-kubernetes.ts';
import { API_SERVER_PORT, CLUSTER_AUTHORITY, LOCAL_API } from './paths.ts';
import { runPublisher } from './peers/run-publisher.ts';
import { readCertificates } from './renew/read-certificates.ts';
import { runRenewal } from './renew/run-renewal.ts';
import { openSelfTests } from './self-test/run-self-tests.ts';

export interface ClusterLifeParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly signal: AbortSignal;
  readonly etcd: Pick<EtcdOperations, 'judgeOwnLoss'>;
  /** What nodes have to prove for a certificate; asked on control planes. */
  readonly admission: Pick<Admissions, 'refresh' | 'admit'>;
  /** The labels that the config of now gives the node; default: none. */
  readonly nodeLabels?: (() => Readonly<Record<string, string>>) | undefined;
  /** The recovery key of /var, which the cluster gets as well. */
  readonly varKeys: Pick<VarKeys, 'escrow'>;
  /** Runs a oneshot unit from its beginning to its end. */
  restartUnit(unit: string, timeoutMs: number): Promise<void>;
}

/** administratorClient asks the cluster through the node's own balancer as its administrator; on control planes. */
export function administratorClient(sys: Pick<Sys, 'readFile'>): KubeClient {
  return openKubeClient({ endpoint: async () => ({ ...LOCAL_API, ...(await readAdminCredentials(sys)) }) });
}

/** nodeClient asks the cluster through the node's own balancer as the kubelet of this node. */
export function nodeClient(sys: Pick<Sys, 'readFile'>): KubeClient {
  return openKubeClient({ endpoint: async () => ({ ...LOCAL_API, ...(await readNodeCredentials(sys)) }) });
}

/** openClusterLife gives the balancer of a member, and on control planes the approver and the renewal of certificates. */
export function openClusterLife(parts: ClusterLifeParts): ClusterLife {
  let living: { stop: AbortController; cluster: string; ended: Promise<void> } | undefined;
  const begin = (cluster: EnteredCluster) => {
    const stop = new AbortController();
    const ended = live(parts, cluster, AbortSignal.any([stop.signal, parts.signal])).catch(
      (reason: unknown) => parts.console.say(`kubernetes: ${told(reason)}`),
    );
    living = { stop, cluster: JSON.stringify(cluster), ended };
  };
  const end = async () => {
    const before = living;
    living = undefined;
    before?.stop.abort();
    await before?.ended;
  };
  return {
    enter({ role, nodeAddress, apiServers }) {
      const cluster = { role, nodeAddress, apiServers };
      if (living?.cluster === JSON.stringify(cluster)) return;
      const before = end(); // the port must be free again
      void before.then(() => begin(cluster));
    },
    async leave() {
      await end();
      await keepServers(parts.store, []);
    },
  };
}

/** A node that joined waits for its self-test, so it is looked for often: also while its control plane is being made. */
const SELF_TEST_PACE = { everyMs: 5_000, atMostMs: 10_000 };

const LABELS_PACE = { everyMs: 60_000, atMostMs: 120_000 };
const ESCROW_PACE = { everyMs: 60_000, atMostMs: 600_000 };

/** Runs until the signal aborts. Throws when the balancer's port cannot be listened on. */
async function live(parts: ClusterLifeParts, cluster: EnteredCluster, signal: AbortSignal): Promise<void> {
  const { sys, store, console, nodeName, nodeId, admission } = parts;
  const { role, nodeAddress, apiServers } = cluster;
  const controlPlane = role === 'control-plane';
  const own = `${nodeAddress}:${API_SERVER_PORT}`;
  const balancer = await openBalancer({ port: LOCAL_API.port, own: controlPlane ? own : undefined });
  const client = controlPlane ? administratorClient(sys) : nodeClient(sys);
  const onFailure = (what: string) => (reason: unknown) =>
    console.say(`kubernetes: ${what}: ${reason === undefined ? 'works again' : told(reason)}`);
  // As itself, on control planes too: a node may do less to nodes than an administrator.
  const asNode = nodeClient(sys);
  const labels = () => parts.nodeLabels?.() ?? {};
  const loops = [
    repeat(() => keepLabels(asNode, nodeName, labels()), {
      ...LABELS_PACE,
      signal,
      // While the node registers it cannot ask; nobody waits for labels that are not wanted.
      onFailure: (reason) => {
        if (Object.keys(labels()).length > 0) onFailure('labels of the node')(reason);
      },
    }),
    repeat(
      () =>
        parts.varKeys.escrow((volumeId, recoveryKey) =>
          bringKey(asNode, nodeName, { volumeId, recoveryKey }),
        ),
      { ...ESCROW_PACE, signal, onFailure: onFailure('recovery key of /var') },
    ),
    runBalancer({
      balancer,
      store,
      firstServers: apiServers,
      listServers: () => listApiServers(client),
      probe: async (server) => probeServer(server, await readText(sys, CLUSTER_AUTHORITY)),
      signal,
      onFailure: onFailure('list of API servers'),
    }),
  ];
  if (controlPlane)
    loops.push(
      runApprover(
        { client, self: { nodeId, nodeName, nodeAddress, role }, admission, nowMs: sys.nowMs },
        {
          signal,
          onDecision: ({ request, requestor, judgement }) =>
            console.say(
              `kubernetes: certificate request ${request} of ${requestor}: ${judgement.verdict}: ${judgement.reason}`,
            ),
          onFailure: onFailure('certificate requests'),
        },
      ),
      runRenewal(
        {
          nowMs: sys.nowMs,
          store,
          readCertificates: () => readCertificates(sys),
          restartUnit: parts.restartUnit,
          whyNotNow: () => whyNotNow(parts.etcd),
        },
        {
          signal,
          onRenewed: (paths) => console.say(`kubernetes: renewed ${paths.join(', ')}`),
          onFailure: onFailure('renewal of certificates'),
        },
      ),
      runPublisher(
        client,
        { nodeId, nodeName, nodeAddress, role },
        { signal, onFailure: onFailure('list of peers') },
      ),
      repeat(
        openEscrowGrants(client, () => performance.now()),
        { ...ESCROW_PACE, signal, onFailure: onFailure('Secrets for recovery keys') },
      ),
      repeat(
        openSelfTests({
          client,
          probeImage: () => imageOf(sys, 'probe'),
          nowMs: sys.nowMs,
          say: (line) => console.say(`kubernetes: ${line}`),
        }),
        { signal, ...SELF_TEST_PACE, onFailure: onFailure('self-test of new nodes') },
      ),
    );
  try {
    await Promise.all(loops);
  } finally {
    client.close();
    asNode.close();
    await balancer.close();
  }
}

/** The only member stops for a moment either way when its certificates end. */
async function whyNotNow(etcd: ClusterLifeParts['etcd']): Promise<string | undefined> {
  const verdict = await etcd.judgeOwnLoss('stops');
  return verdict.ok || verdict.lastMember ? undefined : verdict.reason;
}

function told(reason: unknown): string {
  return PlinthError.from(reason, 'kubernetes/api-server-silent', 'Cannot go on').message;
}
