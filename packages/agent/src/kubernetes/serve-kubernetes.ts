import type { ConnectRouter } from '@connectrpc/connect';
import { describeCode, PlinthError } from '@plinth/base';
import { type CheckSpec, fail } from '../checks/check.ts';
import { type EtcdOperations, etcdOperations } from '../etcd/etcd-operations.ts';
import { etcdService } from '../etcd/etcd-service.ts';
import type { ClusterView } from '../health/collect-health.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import { readNodeCredentials } from './access/credentials.ts';
import { openKubeClient } from './access/kube-client.ts';
import { openClusterAccess } from './access/open-cluster-access.ts';
import { readServers } from './balance/server-list.ts';
import { administratorClient, type ClusterLifeParts, openClusterLife } from './cluster-life.ts';
import { dnsAddressOf } from './cluster-spec.ts';
import { kubernetesChecks } from './kubernetes-checks.ts';
import { kubernetesService } from './kubernetes-service.ts';
import { openObserver, QUESTION_LIMIT_MS } from './observe/open-observer.ts';
import { type Kubernetes, openKubernetes } from './open-kubernetes.ts';
import { API_SERVER_PORT, LOCAL_API } from './paths.ts';
import { systemdUnits } from './units/run-unit.ts';

export type ServeParts = Omit<ClusterLifeParts, 'etcd' | 'restartUnit'>;

/** Everything of plinthd that is about Kubernetes, ready to be served. */
export interface ServedKubernetes {
  readonly routes: (router: ConnectRouter) => void;
  readonly checks: readonly CheckSpec[];
  /** How health sees the cluster; undefined as long as the node is no member. Never rejects. */
  readonly cluster: () => Promise<ClusterView | undefined>;
}

/**
 * serveKubernetes opens Kubernetes on this node. When its stored state cannot be read nothing of it is served, and
 * health says why: a node that does not know whether it is a member must not become one.
 */
export async function serveKubernetes(parts: ServeParts): Promise<ServedKubernetes> {
  try {
    return await serve(parts);
  } catch (reason) {
    const { code, message } = PlinthError.from(
      reason,
      'kubernetes/state-unreadable',
      'Cannot open Kubernetes',
    );
    parts.console.say(`kubernetes: ${message} [${code}]`);
    const check: CheckSpec = {
      id: 'kubernetes-state',
      expected: 'readable',
      source: `${SYSTEM_STATE}/kubernetes`,
      fix: describeCode(code).fix,
      critical: true,
      observe: async () => fail(message),
    };
    return { routes: () => {}, checks: [check], cluster: async () => undefined };
  }
}

async function serve(parts: ServeParts): Promise<ServedKubernetes> {
  const { sys } = parts;
  const access = openClusterAccess({ client: administratorClient(sys), sys });
  const units = systemdUnits(sys);
  const restartUnit = (unit: string, timeoutMs: number) => units.run('restart', unit, { timeoutMs });
  const etcd = etcdOperations({ sys, folder: `${SYSTEM_STATE}/etcd`, restartUnit });
  const life = openClusterLife({ ...parts, etcd, restartUnit });
  const kubernetes = await openKubernetes({ ...parts, life });
  const service = kubernetesService({
    kubernetes,
    access,
    mayLeave: (override) => mayLeave(kubernetes, etcd, override),
  });
  const members = etcdService(etcd);
  return {
    routes: (router) => {
      service(router);
      members(router);
    },
    checks: kubernetesChecks(kubernetes),
    cluster: clusterViews(parts, kubernetes, etcd),
  };
}

/** Gives health's view of the cluster, by what is stored about the membership at each look. */
function clusterViews(
  { sys, store, nodeName }: ServeParts,
  { facts }: Kubernetes,
  etcd: EtcdOperations,
): () => Promise<ClusterView | undefined> {
  const client = openKubeClient({
    endpoint: async () => ({ ...LOCAL_API, ...(await readNodeCredentials(sys)) }),
    timeoutMs: QUESTION_LIMIT_MS * 2,
  });
  return async () => {
    // A membership that cannot be read is what the check "membership" is about.
    const member = await facts().then(
      (known) => known.member,
      () => undefined,
    );
    if (member?.state !== 'member') return undefined;
    const { role, version, nodeAddress, cluster } = member;
    const otherServers = async () => {
      const kept = await readServers(store);
      const servers = kept.length > 0 ? kept : member.apiServers;
      return servers.filter((server) => server !== `${nodeAddress}:${API_SERVER_PORT}`);
    };
    const observeEtcd = () => etcd.observe(QUESTION_LIMIT_MS);
    return {
      member: {
        ...{ role, version, nodeAddress },
        dnsAddress: dnsAddressOf(cluster),
        dnsDomain: cluster.dnsDomain,
      },
      kubernetes: openObserver({ sys, nodeName, client, otherServers, observeEtcd }),
    };
  };
}

/** A worker may always leave; a control plane when etcd goes on without it. @throws kubernetes/leave-refused */
async function mayLeave({ facts, parts }: Kubernetes, etcd: EtcdOperations, override: string): Promise<void> {
  const { member } = await facts();
  if (member?.role !== 'control-plane' || override === parts.nodeName) return;
  const verdict = await etcd.judgeOwnLoss('leaves');
  if (verdict.ok) return;
  throw new PlinthError(
    'kubernetes/leave-refused',
    `Cannot leave: ${verdict.reason}, expected etcd to go on`,
  );
}
