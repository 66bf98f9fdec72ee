import { messageOf } from '@plinth/base';
import { type KubeAnswer, type KubeRequest, parseStatus, statusError } from '@plinth/kube';
import type { Write } from '../../decide/decision.ts';
import { rawAt, textOf } from '../../view/project/raw.ts';
import type { NodeView, ReplaceTry } from '../../view/view.ts';
import { deploymentOf, judgeMachine, machineOf } from './judge-machine.ts';

const GROUP = 'cluster.x-k8s.io';

/** Calls the API server that has the Machines. */
export type CallMachines = (asked: KubeRequest, verb: string) => Promise<KubeAnswer>;

/**
 * replaceNode has Cluster API replace a node: looks its Machine up, judges it, and deletes that very version of it. It can be repeated; what
 * cannot be told is "unknown". Aborts and the loss of the lease are thrown, nothing else.
 */
export async function replaceNode(
  { mayDelete, kubernetesVersion }: Extract<Write, { readonly do: 'replace-node' }>,
  node: NodeView,
  call: CallMachines,
): Promise<Omit<ReplaceTry, 'atMs'>> {
  const place = machineOf(node);
  if (!place) return refused(`${node.name} has no annotation ${GROUP}/machine: Cluster API did not make it`);
  const version = await versionOf(call);
  if (typeof version !== 'string') return version;
  const inNamespace = `/apis/${GROUP}/${version}/namespaces/${place.namespace}`;
  const path = `${inNamespace}/machines/${place.name}`;
  const machine = await get(call, path, 'GET machines');
  if ('is' in machine) return machine;
  const pool = deploymentOf(machine.object);
  const deployment =
    pool === undefined
      ? { object: undefined }
      : await get(call, `${inNamespace}/machinedeployments/${pool}`, 'GET machinedeployments');
  if ('is' in deployment) return deployment;
  const verdict = judgeMachine(node, machine.object, deployment.object, kubernetesVersion);
  if (verdict.is === 'deleting') return { is: 'deleting', text: 'its Machine is on its way out' };
  if (verdict.is === 'refused') return refused(verdict.text);
  if (!mayDelete) return { is: 'kept', text: 'its Machine is not being deleted' };
  const { uid, resourceVersion } = verdict;
  const body = {
    ...{ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } },
    propagationPolicy: 'Background',
  };
  const answer = await call({ method: 'DELETE', path, body }, 'DELETE machines');
  if (answer.status < 300) return { is: 'deleting', text: 'its Machine is on its way out' };
  // Changed since it was judged: looked at anew next time. Whoever deleted it, the Node goes.
  return unknown(`its Machine was not deleted: ${parseStatus(answer.text).message}`);
}

/** The version that the server prefers; Machines are there in one of two. */
async function versionOf(call: CallMachines): Promise<string | Omit<ReplaceTry, 'atMs'>> {
  const group = await get(call, `/apis/${GROUP}`, 'GET apis');
  if ('is' in group) return group;
  const version = textOf(rawAt(group.object, 'preferredVersion')['version']);
  return version === 'v1beta1' || version === 'v1beta2'
    ? version
    : unknown(`the API server prefers ${GROUP}/${version}, expected v1beta1 or v1beta2`);
}

async function get(
  call: CallMachines,
  path: string,
  verb: string,
): Promise<{ readonly object: unknown } | Omit<ReplaceTry, 'atMs'>> {
  const asked = { method: 'GET', path } as const;
  const answer = await call(asked, verb);
  if (answer.status >= 300) return unknown(messageOf(statusError(asked, answer)));
  try {
    return { object: JSON.parse(answer.text) as unknown };
  } catch {
    return unknown(`${path} is no JSON`);
  }
}

function refused(text: string): Omit<ReplaceTry, 'atMs'> {
  return { is: 'refused', text };
}

function unknown(text: string): Omit<ReplaceTry, 'atMs'> {
  return { is: 'unknown', text };
}
