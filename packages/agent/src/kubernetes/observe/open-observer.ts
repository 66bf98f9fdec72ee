import { withinTime } from '../../checks/within-time.ts';
import type { ObservedEtcd } from '../../etcd/etcd-operations.ts';
import type { EtcdFacts, KubernetesObserver } from '../../health/kubernetes-observer.ts';
import type { Sys } from '../../sys/sys.ts';
import type { KubeClient } from '../access/kube-client.ts';
import { CLUSTER_AUTHORITY } from '../paths.ts';
import { readApiServer, readNode, readStaticPods } from './cluster-objects.ts';
import { readPeerClocks } from './peer-clocks.ts';

/** How long one question to the API server or to another machine may take. Two of them fit into ANSWER_LIMIT_MS. */
export const QUESTION_LIMIT_MS = 4_000;
/** How long a source may take in all: with it a look at the node's health stays below ten seconds. */
const ANSWER_LIMIT_MS = 9_000;

export interface ObserverParts {
  readonly sys: Pick<Sys, 'readFile' | 'nowMs'>;
  readonly nodeName: string;
  /** Asks through the node's balancer with the node's own rights. */
  readonly client: KubeClient;
  /** host:port of API servers on other machines. */
  otherServers(): Promise<readonly string[]>;
  /** The member of etcd on this node. */
  observeEtcd(): Promise<ObservedEtcd>;
}

/** openObserver is KubernetesObserver on a member of a cluster. It has the rights of the node, and on control planes those of etcd's health check. */
export function openObserver(parts: ObserverParts): KubernetesObserver {
  const { sys, nodeName, client } = parts;
  const bounded =
    <T>(ask: () => Promise<T>) =>
    () =>
      withinTime(ask(), ANSWER_LIMIT_MS);
  return {
    node: bounded(() => readNode(client, nodeName)),
    apiServer: bounded(() => readApiServer(client)),
    peerClocks: bounded(async () => {
      const servers = await parts.otherServers();
      if (servers.length === 0) return [];
      const caPem = (await sys.readFile(CLUSTER_AUTHORITY)).toString('latin1');
      return readPeerClocks(sys, { servers, caPem, timeoutMs: QUESTION_LIMIT_MS * 2 });
    }),
    staticPods: bounded(() => readStaticPods(client, nodeName)),
    etcd: bounded(async () => etcdFacts(await parts.observeEtcd())),
  };
}

/** etcdFacts is what health judges of what etcd says. */
export function etcdFacts({ ownId, members, alarms, quotaBytes }: ObservedEtcd): EtcdFacts {
  return {
    members: members.map(({ id, name, learner, healthy, problem, leader, status }) => ({
      ...{ name, learner, healthy, problem, leader },
      own: id === ownId,
      dbSizeBytes: status?.dbSizeBytes,
      dbInUseBytes: status?.dbInUseBytes,
      version: status?.version ?? '',
    })),
    alarms,
    quotaBytes,
  };
}
