/** A condition of a Node object. */
export interface NodeCondition {
  /** "Ready", "MemoryPressure", … */
  readonly type: string;
  /** "True", "False" or "Unknown". */
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** This node as its cluster sees it. */
export interface NodeObject {
  /** "v1.37.1". */
  readonly kubeletVersion: string;
  readonly conditions: readonly NodeCondition[];
}

/** The API server that the node's balancer leads to. */
export interface ApiServerFacts {
  /** "v1.37.1". */
  readonly version: string;
  /** Whether /readyz says ok. */
  readonly ready: boolean;
}

/** The clock of another machine of the cluster, compared with ours. */
export interface PeerClock {
  readonly server: string;
  /** Its time minus ours, as far as that is certain; negative when it is behind. The Date header is good to a second. */
  readonly skewMs: number;
}

/** A static pod of this node, by its mirror pod. */
export interface StaticPod {
  /** Name of the part, without the node's: "kube-apiserver". */
  readonly name: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** Why it does not run, "CrashLoopBackOff"; "" when it runs. */
  readonly reason: string;
}

/** One member of etcd, as this node's member and the member itself tell. */
export interface EtcdMemberFacts {
  readonly name: string;
  /** Whether it is this node's. */
  readonly own: boolean;
  /** A learner does not vote. */
  readonly learner: boolean;
  readonly healthy: boolean;
  /** Why it is not; "" when it is. */
  readonly problem: string;
  readonly leader: boolean;
  /** Undefined when it did not answer. */
  readonly dbSizeBytes: number | undefined;
  readonly dbInUseBytes: number | undefined;
  /** "3.6.8"; "" when it did not answer. */
  readonly version: string;
}

export interface EtcdFacts {
  readonly members: readonly EtcdMemberFacts[];
  /** Alarms that are raised: "NOSPACE", "CORRUPT". */
  readonly alarms: readonly string[];
  /** Largest size of the database that etcd takes. */
  readonly quotaBytes: number;
}

/**
 * KubernetesObserver is what health asks of the cluster, with the rights this node has. Each method rejects with an Error
 * whose message is fit to be shown when it gets no answer; none may take longer than ten seconds.
 */
export interface KubernetesObserver {
  node(): Promise<NodeObject>;
  apiServer(): Promise<ApiServerFacts>;
  /** Clocks of the API servers on other machines that answer; empty when there are no others. */
  peerClocks(): Promise<readonly PeerClock[]>;
  /** Control planes only. */
  staticPods(): Promise<readonly StaticPod[]>;
  /** Control planes only. */
  etcd(): Promise<EtcdFacts>;
}

/** askOnce lets all rules of one look share one answer, failures too: a silent server costs its time limit once. */
export function askOnce(observer: KubernetesObserver): KubernetesObserver {
  const kept = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
    let answer: Promise<T> | undefined;
    return () => {
      answer ??= ask();
      return answer;
    };
  };
  return {
    node: kept(() => observer.node()),
    apiServer: kept(() => observer.apiServer()),
    peerClocks: kept(() => observer.peerClocks()),
    staticPods: kept(() => observer.staticPods()),
    etcd: kept(() => observer.etcd()),
  };
}
