import type { KubeRequest } from '@plinth/kube';
import { FLEET_GROUP, FLEET_VERSION } from '../../crd/index.ts';
import type { At, Write } from '../../decide/decision.ts';
import { ownKinds } from '../../view/project/project-own.ts';
import type { NodeView } from '../../view/view.ts';

/** A write without its way over the network. */
export type ObjectWrite = Exclude<
  Write,
  { readonly do: 'evict' | 'delete-pod' | 'event' | 'taint' | 'untaint' | 'prove-gone' | 'replace-node' }
>;

/** Kinds whose answers are learnt. */
export type WrittenKind = 'rollouts' | 'policies' | 'ledgers' | 'nodeUpdates';

/** One call, made of an object as the call before it left it. */
export interface Step {
  readonly kind: WrittenKind;
  /** @param resourceVersion the version to be changed; "" for a creation */
  request(at: { readonly uid: string; readonly resourceVersion: string }): KubeRequest;
}

const PATHS: Readonly<Record<WrittenKind, string>> = {
  rollouts: ownKinds.rollouts.path,
  policies: ownKinds.policies.path,
  ledgers: ownKinds.ledgers.path,
  nodeUpdates: ownKinds.nodeUpdates.path,
};

/** stepsOf are the calls of a write, in their order: what is meant (spec) before what is said of it (status); pure. */
export function stepsOf(write: ObjectWrite): readonly Step[] {
  switch (write.do) {
    case 'create-rollout':
      return [
        creation('rollouts', 'Rollout', write.name, { spec: write.spec }),
        change('rollouts', write.name, 'status', write.status),
      ];
    case 'rollout-spec':
      return [change('rollouts', write.at.name, 'spec', write.spec)];
    case 'rollout-status':
      return [change('rollouts', write.at.name, 'status', write.status)];
    case 'policy-status':
      return [change('policies', write.at.name, 'status', write.status)];
    case 'create-ledger':
      return [
        creation('ledgers', 'CapacityLedger', write.name, {}),
        change('ledgers', write.name, 'status', { entries: [], epoch: 0 }),
      ];
    case 'ledger':
      return [change('ledgers', write.at.name, 'status', write.status)];
    case 'create-node-update': {
      const { name, spec } = write;
      // It goes with its Node, and with no other of that name.
      const owner = { apiVersion: 'v1', kind: 'Node', name, uid: spec.nodeUid };
      return [creation('nodeUpdates', 'NodeUpdate', name, { spec }, { ownerReferences: [owner] })];
    }
    case 'node-update': {
      const { at, spec, status } = write;
      return [
        ...(spec ? [change('nodeUpdates', at.name, 'spec', spec)] : []),
        ...(status ? [change('nodeUpdates', at.name, 'status', status)] : []),
      ];
    }
  }
}

function creation(
  kind: WrittenKind,
  type: string,
  name: string,
  content: object,
  metadata: object = {},
): Step {
  const body = {
    ...{ apiVersion: `${FLEET_GROUP}/${FLEET_VERSION}`, kind: type, metadata: { name, ...metadata } },
    ...content,
  };
  return { kind, request: () => ({ method: 'POST', path: PATHS[kind], body }) };
}

function change(kind: WrittenKind, name: string, part: 'spec' | 'status', value: object): Step {
  return {
    kind,
    request: (at) => ({
      method: 'PATCH',
      path: `${PATHS[kind]}/${name}${part === 'status' ? '/status' : ''}`,
      contentType: 'application/json-patch+json',
      body: [...preconditions(at), { op: 'add', path: `/${part}`, value }],
    }),
  };
}

/**
 * A version in a patch makes the API server refuse it (409) when the object has another one, also when the patch changes nothing; another uid
 * does too (422). "replace" and not "test", which it would answer as an invalid request.
 */
function preconditions({ uid, resourceVersion }: Omit<At, 'name'>): readonly object[] {
  return [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace', path: '/metadata/uid', value: uid },
  ];
}

/**
 * taintRequest sets or removes one taint of ours and leaves every other, and `unschedulable`, as they are. Where it is so already the request is
 * sent all the same: that it is granted proves that the Node is as it was decided on.
 */
export function taintRequest(
  write: Extract<Write, { readonly do: 'taint' | 'untaint' }>,
  node: NodeView,
): KubeRequest {
  const wanted = write.do === 'taint' ? write.taint : undefined;
  const { key, effect } = write.do === 'taint' ? write.taint : write;
  const isIt = (taint: { readonly key: string; readonly effect: string }) =>
    taint.key === key && taint.effect === effect;
  const also = write.do === 'untaint' ? write.also : undefined;
  const goes = (taint: { readonly key: string; readonly effect: string }) =>
    isIt(taint) || (taint.key === also?.key && taint.effect === also.effect);
  const isSo = wanted ? node.taints.find(isIt)?.value === wanted.value : !node.taints.some(goes);
  const taints = [...node.taints.filter((taint) => !goes(taint)), ...(wanted ? [wanted] : [])];
  const change =
    taints.length > 0
      ? { op: 'add', path: '/spec/taints', value: taints }
      : { op: 'remove', path: '/spec/taints' };
  return {
    method: 'PATCH',
    path: `/api/v1/nodes/${node.name}`,
    contentType: 'application/json-patch+json',
    body: [...preconditions(write.at), ...(isSo ? [] : [change])],
  };
}

/** podRequest asks for the eviction of a pod, or deletes it; of that pod and none that has its name since. */
export function podRequest(write: Extract<Write, { readonly do: 'evict' | 'delete-pod' }>): KubeRequest {
  const path = `/api/v1/namespaces/${write.namespace}/pods/${write.pod}`;
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: write.uid } };
  if (write.do === 'delete-pod') return { method: 'DELETE', path, body: options };
  return {
    method: 'POST',
    path: `${path}/eviction`,
    body: {
      ...{ apiVersion: 'policy/v1', kind: 'Eviction' },
      metadata: { name: write.pod, namespace: write.namespace },
      deleteOptions: {
        ...options,
        ...(write.graceSeconds !== undefined && { gracePeriodSeconds: write.graceSeconds }),
      },
    },
  };
}
