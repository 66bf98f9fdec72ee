import type { ConnectRouter } from '@connectrpc/connect';
import { describeCode, PlinthError } from '@plinth/base';
import { type CheckSpec, fail } from '../checks/check.ts';
import { etcdOperations } from '../etcd/etcd-operations.ts';
import { etcdService } from '../etcd/etcd-service.ts';
import type { ClusterView } from '../health/collect-health.ts';
import type { ClusterFacts } from '../posture/fact-readers.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import type { PeerBook } from '../tunnel/peers.ts';
import { readNodeCredentials } from './access/credentials.ts';
import { openKubeClient } from './access/kube-client.ts';
import { openClusterAccess } from './access/open-cluster-access.ts';
import { openAdmission } from './admission/admission.ts';
import { readVerification } from './admission/read-verification.ts';
import { type ClusterDuty, clusterDuty, mayLeave, unknownDuty } from './cluster-duty.ts';
import { administratorClient, type ClusterLifeParts, openClusterLife } from './cluster-life.ts';
import { kubernetesService } from './kubernetes-service.ts';
import { membershipChecks } from './membership-check.ts';
import { openHealthView } from './observe/open-health-view.ts';
import { QUESTION_LIMIT_MS } from './observe/open-observer.ts';
import { type KubernetesParts, openKubernetes } from './open-kubernetes.ts';
import { LOCAL_API } from './paths.ts';
import { openPeerBook } from './peers/open-peer-book.ts';
import { readPeers } from './peers/peer-list.ts';
import { systemdUnits } from './units/run-unit.ts';

export interface ServeParts
  extends Omit<ClusterLifeParts, 'etcd' | 'restartUnit' | 'admission'>,
    Pick<KubernetesParts, 'onAct' | 'beforeWorkloads'> {
  /** Writes a record into the node's audit log. */
  readonly audit: (record: object) => unknown;
}

/** Everything of plinthd that is about Kubernetes, ready to be served. */
export interface ServedKubernetes {
  readonly routes: (router: ConnectRouter) => void;
  readonly checks: readonly CheckSpec[];
  /** How health sees the cluster; undefined as long as the node is no member. Never rejects. */
  readonly cluster: () => Promise<ClusterView | undefined>;
  /** The other members. */
  readonly peers: PeerBook;
  readonly duty: ClusterDuty;
  readonly securityFacts: ClusterFacts;
}

/**
 * serveKubernetes opens Kubernetes on this node. When its stored state cannot be read nothing of it is served, and
 * health says why: a node that does not know whether it is a member must not become one.
 */
export async function serveKubernetes(parts: ServeParts): Promise<ServedKubernetes> {
  try {
    return await serve(parts);
  } catch (reason) {
    const failure = PlinthError.from(reason, 'kubernetes/state-unreadable', 'Cannot open Kubernetes');
    const { code, message } = failure;
    parts.console.say(`kubernetes: ${message} [${code}]`);
    const check: CheckSpec = {
      id: 'kubernetes-state',
      expected: 'readable',
      source: `${SYSTEM_STATE}/kubernetes`,
      fix: describeCode(code).fix,
      critical: true,
      observe: async () => fail(message),
    };
    const peers = { list: async () => ({ peers: [], observedAtMs: undefined, problem: message }) };
    const duty = unknownDuty(failure);
    const securityFacts: ClusterFacts = {
      role: () => Promise.reject(failure),
      admission: () => Promise.reject(failure),
    };
    return { routes: () => {}, checks: [check], cluster: async () => undefined, peers, duty, securityFacts };
  }
}

async function serve(parts: ServeParts): Promise<ServedKubernetes> {
  const { sys, console, audit } = parts;
  const client = administratorClient(sys);
  const access = openClusterAccess({ client, sys });
  const admission = openAdmission({
    ...{ client, audit, nowMs: () => performance.now() },
    say: (line) => console.say(line),
  });
  const units = systemdUnits(sys);
  const restartUnit = (unit: string, timeoutMs: number) => units.run('restart', unit, { timeoutMs });
  const etcd = etcdOperations({ sys, folder: `${SYSTEM_STATE}/etcd`, restartUnit });
  const life = openClusterLife({ ...parts, etcd, admission, restartUnit });
  const kubernetes = await openKubernetes({ ...parts, life });
  const service = kubernetesService({
    kubernetes,
    access,
    admission,
    mayLeave: (override) => mayLeave(kubernetes, etcd, override),
  });
  const members = etcdService(etcd);
  const asNode = openKubeClient({
    endpoint: async () => ({ ...LOCAL_API, ...(await readNodeCredentials(sys)) }),
    timeoutMs: QUESTION_LIMIT_MS,
  });
  const duty = clusterDuty(kubernetes, etcd);
  return {
    routes: (router) => {
      service(router);
      members(router);
    },
    checks: membershipChecks(kubernetes),
    cluster: openHealthView(parts, kubernetes.facts, etcd),
    peers: openPeerBook({
      ...{ store: parts.store, nowMs: sys.nowMs, facts: kubernetes.facts },
      read: () => readPeers(asNode),
    }),
    duty,
    securityFacts: {
      role: async () => (await duty.member())?.role,
      admission: async () => (await readVerification(client))?.rule ?? 'off',
    },
  };
}
