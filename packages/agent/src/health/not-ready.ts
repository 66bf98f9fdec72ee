import type { NodeCondition } from './kubernetes-observer.ts';

/** What is behind a node that is not ready, and the one action that helps. */
export interface Explanation {
  readonly cause: string;
  readonly fix: string;
}

/** What the kubelet and the node controller write, and what it means; the first that fits counts. */
const KNOWN: readonly (readonly [pattern: RegExp, explanation: Explanation])[] = [
  [
    /NodeStatusUnknown|stopped posting node status/i,
    {
      cause: 'The kubelet has not reported for a while: it ended, or reaches no API server.',
      fix: 'Look at kubelet.service and at the check "api-server" of this node.',
    },
  ],
  [
    /cni plugin not initialized|network ?plugin is not ready|NetworkReady=false|NetworkPluginNotReady/i,
    {
      cause:
        'The node has no pod network yet: flannel has not given it addresses, so containerd has no configuration.',
      fix: 'Look at the pod of flannel on this node.',
    },
  ],
  [
    /PLEG is not healthy|pleg was last seen/i,
    {
      cause: 'The container runtime takes minutes to list its pods: too many of them, or a slow disk.',
      fix: 'Look at the checks "io-stalls" and "memory"; restart containerd.service when they pass.',
    },
  ],
  [
    /container runtime (is down|not ready)|RuntimeReady=false|container runtime status check may not|containerd\.sock/i,
    {
      cause: 'The container runtime does not answer the kubelet.',
      fix: 'Read the journal of containerd.service and restart it.',
    },
  ],
  [
    /node is shutting down|NodeShutdown/i,
    {
      cause: 'The node is about to power off or reboot; its pods are being ended.',
      fix: 'Wait until it is back.',
    },
  ],
  [
    /CSINode is not yet initialized/i,
    {
      cause: 'The kubelet has just started and not yet registered its volumes with the API server.',
      fix: 'Wait a minute; then look at the check "api-server".',
    },
  ],
  [
    /x509|certificate|Unauthorized/i,
    {
      cause: 'The API server does not accept what the kubelet proves itself with.',
      fix: 'Look at the checks "certificate-kubelet-client" and "clock" of this node.',
    },
  ],
  [
    /failed to get (node )?info|missing node capacity|imageFs|failed to initialize top level QOS|cgroup/i,
    {
      cause: 'The kubelet cannot measure the machine or make the groups that limit pods.',
      fix: 'Look at the checks "cgroup" and "var-space", then restart kubelet.service.',
    },
  ],
];

/** explainNotReady finds the cause by the reason and message of the Ready condition; empty for words nobody knows. */
export function explainNotReady({ reason, message }: NodeCondition): Partial<Explanation> {
  return KNOWN.find(([pattern]) => pattern.test(`${reason} ${message}`))?.[1] ?? {};
}
