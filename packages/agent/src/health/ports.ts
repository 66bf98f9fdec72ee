import { type Finding, passIf } from '../checks/check.ts';
import type { ProbeTarget } from './network-probe.ts';
import type { HealthRule, MemberView } from './rule.ts';

/** A port that a part of Kubernetes listens on, by the part's name. */
export type NamedPort = readonly [part: string, target: ProbeTarget];

/** portRules: a part may be started and still not listen. */
export const portRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'ports-node',
    expected: 'the kubelet accepts connections from the control planes',
    source: 'TCP port 10250 of the node address',
    cause: "The kubelet does not listen: it still starts, or its address is not the node's.",
    fix: 'Read the journal of kubelet.service.',
    observe: async (view) => judgePorts(await tryPorts(view, nodePorts(view))),
  },
];

export const controlPlanePortRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'ports-control-plane',
    expected: 'API server, etcd, controller manager and scheduler accept connections',
    source: 'TCP ports 6443, 2379, 2380, 10257 and 10259',
    cause: 'A part of the control plane does not listen: it still starts, or ends again and again.',
    fix: 'Look at the check "static-pods" and at the log of the part in /var/log/pods.',
    critical: true,
    observe: async (view) => judgePorts(await tryPorts(view, controlPlanePorts(view))),
  },
];

function nodePorts({ member }: MemberView): NamedPort[] {
  return [['kubelet', { host: member.nodeAddress, port: 10250 }]];
}

/** kubeadm binds API server and etcd to the node's address, the other two to loopback. */
function controlPlanePorts({ member: { nodeAddress: host } }: MemberView): NamedPort[] {
  return [
    ['kube-apiserver', { host, port: 6443 }],
    ['etcd', { host, port: 2379 }],
    ['etcd for its members', { host, port: 2380 }],
    ['kube-controller-manager', { host: '127.0.0.1', port: 10257 }],
    ['kube-scheduler', { host: '127.0.0.1', port: 10259 }],
  ];
}

async function tryPorts(
  { probe }: MemberView,
  ports: readonly NamedPort[],
): Promise<(readonly [string, string])[]> {
  return Promise.all(ports.map(async ([part, target]) => [part, await probe.connect(target)] as const));
}

/** judgePorts: "" is a connection, else the code says why there was none. */
export function judgePorts(tried: readonly (readonly [part: string, code: string])[]): Finding {
  const closed = tried.filter(([, code]) => code !== '').map(([part, code]) => `${part}: ${code}`);
  return passIf(closed.length === 0, closed.join(', ') || tried.map(([part]) => part).join(', '));
}
