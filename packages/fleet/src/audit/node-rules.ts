import type { NodeView, StoredNodeUpdate } from '../view/view.ts';
import type { Finding } from './ledger-rules.ts';
import type { ObservedStart } from './observation.ts';
import { hasEntry, isTainted, OUTDATED, type Seen, TAINT } from './seen.ts';

/** auditNode looks at a change of a Node: S4, S5, S7. */
export function* auditNode(
  seen: Seen,
  before: NodeView | undefined,
  after: NodeView | undefined,
): Generator<Finding> {
  if (!after) return;
  const isSame = before?.uid === after.uid;
  if (isTainted(after) && !(isSame && isTainted(before)) && !hasEntry(seen, after.uid))
    yield ['S4', `${after.name} got our taint without a slot`];
  if (!isSame || !before) return;
  if (isTainted(before) !== isTainted(after)) {
    if (before.isUnschedulable !== after.isUnschedulable)
      yield ['S7', `${after.name}: unschedulable was changed together with our taint`];
    if (foreignTaints(before) !== foreignTaints(after))
      yield ['S7', `${after.name}: taints of others were changed together with ours`];
  }
  const permission = seen.updates.get(after.name)?.spec.authorization;
  if (before.bootId !== after.bootId && permission?.bootId === before.bootId && !isTainted(after))
    yield ['S5', `${after.name} was started by permission while it takes pods`];
}

const SKEW_LIMIT = 3;

/** auditSkew: no kubelet is newer than the API server, or more than three minor versions older (S8). */
export function* auditSkew(node: NodeView | undefined, apiServer: string | undefined): Generator<Finding> {
  const [kubelet, server] = [minorOf(node?.kubeletVersion), minorOf(apiServer)];
  if (
    node &&
    kubelet !== undefined &&
    server !== undefined &&
    (kubelet > server || kubelet < server - SKEW_LIMIT)
  )
    yield ['S8', `${node.name} has the kubelet ${node.kubeletVersion} beside the API server ${apiServer}`];
}

function minorOf(version: string | undefined): number | undefined {
  const minor = /^v?1\.(\d+)\./.exec(version ?? '')?.[1];
  return minor === undefined ? undefined : Number(minor);
}

function foreignTaints({ taints }: NodeView): string {
  return taints
    .filter(({ key }) => key !== TAINT && key !== OUTDATED)
    .map(({ key, value, effect }) => `${key}=${value}:${effect}`)
    .sort()
    .join();
}

/** auditUpdate looks at a permission when it is given, and at what is known of the slots of the system: S4, S5, S6, S9. */
export function* auditUpdate(
  seen: Seen,
  before: StoredNodeUpdate | undefined,
  after: StoredNodeUpdate | undefined,
): Generator<Finding> {
  const permission = after?.spec.authorization;
  if (!after || !permission) return;
  yield* auditAct(before, after);
  if (before?.spec.authorization?.nonce === permission.nonce) return;
  const node = seen.nodes.get(after.name);
  if (node?.uid !== permission.nodeUid) return;
  if (seen.permissions.has(permission.nonce)) yield ['S6', `${after.name}: a permission was given twice`];
  if (!isTainted(node)) yield ['S5', `${after.name} was permitted to start while it takes pods`];
  if (!hasEntry(seen, node.uid)) yield ['S4', `${after.name} was permitted to start without a slot`];
  if (permission.direction === 'Forward') yield* auditEmpty(seen, after.name);
  const report = after.status?.node;
  if (permission.direction === 'Forward' && report?.contract === 'running')
    yield ['S9', `${after.name} was permitted to start while what it runs is not proven`];
}

/** The permission is written before the phase; what the node said last, and it was decided on, comes with the phase. */
function* auditAct(before: StoredNodeUpdate | undefined, after: StoredNodeUpdate): Generator<Finding> {
  const phase = after.status?.progress?.phase;
  const isForward = phase === 'Authorized' && after.spec.authorization?.direction === 'Forward';
  if (!isForward || before?.status?.progress?.phase === phase) return;
  if (after.status?.node?.kubernetesAct?.state === 'Running')
    yield ['S9', `${after.name} was permitted to start while it said that plinthd is at an act`];
}

/** Pods that were there when the taint was set have gone; one that was bound later came past the scheduler's own view of it. */
function* auditEmpty(seen: Seen, name: string): Generator<Finding> {
  const tainted = seen.taintedAt.get(name) ?? 0;
  for (const { pod, order } of seen.pods.values()) {
    const stays =
      pod.isMirror ||
      pod.controllerKind === 'DaemonSet' ||
      pod.phase === 'Succeeded' ||
      pod.phase === 'Failed';
    if (pod.node === name && order < tainted && !stays)
      yield ['S5', `${name} was permitted to start with the pod ${pod.uid} on it`];
  }
}

/** auditStart looks at a start that a machine tells: S4, S5, S6. Starts without a permission are the boot loader's. */
export function* auditStart(seen: Seen, start: ObservedStart): Generator<Finding> {
  const { node: name, nodeUid, nonce, fromBootId, rootHash } = start;
  if (nonce === undefined) return;
  const permission = seen.permissions.get(nonce);
  if (!permission) {
    yield ['S6', `${name} was started by a permission that nobody saw`];
    return;
  }
  if (permission.bootId !== fromBootId)
    yield ['S6', `${name} was started out of a boot that its permission does not name`];
  if (permission.rootHash !== rootHash)
    yield ['S6', `${name} started another system than its permission names`];
  if (seen.starts.some((each) => each.nonce === nonce)) yield ['S6', `${name} used one permission twice`];
  const forRelease = seen.starts.filter(
    (each) =>
      each.nodeUid === nodeUid &&
      each.nonce !== undefined &&
      seen.permissions.get(each.nonce)?.release === permission.release,
  );
  if (forRelease.length >= 2) yield ['S6', `${name} was started a third time for ${permission.release}`];
  const node = seen.nodes.get(name);
  // Somebody replaced the Node object after the permission was given: its taint and its slot went with it.
  if (node?.uid !== permission.nodeUid) return;
  if (!isTainted(node)) yield ['S5', `${name} was started while it takes pods`];
  if (!hasEntry(seen, nodeUid)) yield ['S4', `${name} was started without a slot`];
}
