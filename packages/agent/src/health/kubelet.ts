import { type Finding, fail, pass, passIf, unknown } from '../checks/check.ts';
import type { NodeCondition, NodeObject, StaticPod } from './kubernetes-observer.ts';
import { explainNotReady } from './not-ready.ts';
import type { HealthRule, MemberView } from './rule.ts';

/** kubeadm's default (healthzPort of the kubelet's configuration); on loopback only. */
const HEALTHZ_PORT = 10248;
const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'];
const CONTROL_PLANE_PARTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

export const kubeletRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'kubelet-healthz',
    expected: 'ok',
    source: `http://127.0.0.1:${HEALTHZ_PORT}/healthz`,
    cause: 'The kubelet does not get its pods into the wanted state: the container runtime is slow or away.',
    fix: 'Look at containerd, memory and disk of the node; the journal of kubelet.service names what hangs.',
    observe: async ({ probe }) => judgeHealthz(await probe.httpGet(HEALTHZ_PORT, '/healthz')),
  },
  {
    id: 'node-ready',
    expected: 'the Ready condition of the node is True',
    source: 'the Node object',
    cause: 'The kubelet says that it cannot run pods, or says nothing.',
    fix: 'Read the journal of kubelet.service.',
    critical: true,
    observe: async ({ kubernetes }) => judgeReady(await kubernetes.node()),
  },
  {
    id: 'node-pressure',
    expected: `none of ${PRESSURES.join(', ')}`,
    source: 'the Node object',
    cause: 'A resource of the node runs out; the kubelet ends pods to get it back and takes no new ones.',
    fix: 'Move workloads away, or give the node more of what is named here.',
    observe: async ({ kubernetes }) => judgePressure(await kubernetes.node()),
  },
];

export const staticPodRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'static-pods',
    expected: `${CONTROL_PLANE_PARTS.join(', ')} are ready`,
    source: 'mirror pods of this node',
    cause: 'A part of the control plane does not start, or starts again and again.',
    fix: 'Read the log of the part named here in /var/log/pods.',
    critical: true,
    observe: async ({ kubernetes }) => judgeStaticPods(await kubernetes.staticPods()),
  },
];

/** judgeHealthz: the kubelet answers 200 and "ok", or says what is wrong. */
export function judgeHealthz({ status, body }: { readonly status: number; readonly body: string }): Finding {
  return passIf(status === 200, status === 200 ? 'ok' : `status ${status}: ${body.trim().slice(0, 200)}`);
}

/** judgeReady: the reason and message of the condition lead to a cause and one action. */
export function judgeReady({ conditions }: NodeObject): Finding {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (!ready) return unknown('the node has no Ready condition yet');
  if (ready.status === 'True') return pass(ready.reason || 'True');
  return { ...fail(tell(ready)), ...explainNotReady(ready) };
}

/** judgePressure: these conditions are True when something is wrong, unlike Ready. */
export function judgePressure({ conditions }: NodeObject): Finding {
  const seen = conditions.filter(({ type }) => PRESSURES.includes(type));
  if (seen.length === 0) return unknown('the kubelet has not told yet');
  const pressed = seen.filter(({ status }) => status === 'True');
  if (pressed.length > 0) return fail(pressed.map(tell).join('; '));
  const silent = seen.filter(({ status }) => status !== 'False');
  return silent.length === 0 ? pass('none') : unknown(silent.map(tell).join('; '));
}

/** judgeStaticPods: a part without a mirror pod has not been started, or the API server was away when it was. */
export function judgeStaticPods(pods: readonly StaticPod[]): Finding {
  const bad = CONTROL_PLANE_PARTS.flatMap((name) => {
    const pod = pods.find((one) => one.name === name);
    if (!pod) return [`${name} is not there`];
    return pod.ready ? [] : [`${name}: ${pod.reason || 'not ready'}, ${pod.restarts} restarts`];
  });
  return passIf(bad.length === 0, bad.join('; ') || 'all ready');
}

function tell({ type, status, reason, message }: NodeCondition): string {
  return `${type} is ${status}: ${[reason, message.slice(0, 300)].filter(Boolean).join(', ')}`;
}
