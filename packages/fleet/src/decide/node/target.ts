import {
  momentOf,
  type NodeProgress,
  type NodeReport,
  type NodeUpdateSpec,
  type NodeUpdateStatus,
  type Reason,
  type Target,
} from '../../objects/index.ts';
import type { NodeView, StoredNodeUpdate } from '../../view/view.ts';

/** isAtTarget says that the node runs all parts of the target. What it did not say yet is not there. */
export function isAtTarget(target: Target, report: NodeReport | undefined, node: NodeView): boolean {
  if (!report) return false;
  return (
    (target.osRootHash === '' || report.osRootHash === target.osRootHash) &&
    otherPartsAt(target, report, node)
  );
}

/** kubernetesAt says that the node runs the Kubernetes of the target, by plinthd and by the kubelet. */
export function kubernetesAt(target: Target, report: NodeReport, node: NodeView): boolean {
  const wanted = bare(target.kubernetesVersion);
  return wanted === '' || (report.kubernetesVersion === wanted && bare(node.kubeletVersion) === wanted);
}

function otherPartsAt(target: Target, report: NodeReport, node: NodeView): boolean {
  return (
    kubernetesAt(target, report, node) &&
    (target.configDigest === '' || report.configDigest === target.configDigest) &&
    report.hotLayerSerial >= target.hotLayerSerial
  );
}

/** Kubernetes writes its versions with a "v", layers without. */
function bare(version: string): string {
  return version.startsWith('v') ? version.slice(1) : version;
}

/** isStaged says that every part the node does not run yet lies on it. */
export function isStaged(target: Target, report: NodeReport | undefined, node: NodeView): boolean {
  if (!report) return false;
  const hasSystem =
    target.osRootHash === '' ||
    report.osRootHash === target.osRootHash ||
    report.stagedRootHash === target.osRootHash;
  return hasSystem && (report.stagedPercent === 100 || otherPartsAt(target, report, node));
}

/** deniedReason is why the node is not brought to the release again. */
export function deniedReason(progress: NodeProgress | undefined, release: string): Reason | undefined {
  return progress?.denied.find((each) => each.release === release)?.reason;
}

const DENIED_LIMIT = 16;

/** denying is the list of denied releases with one more, the oldest left out when it is full. */
export function denying(progress: NodeProgress, release: string, reason: Reason): NodeProgress['denied'] {
  const others = progress.denied.filter((each) => each.release !== release);
  return [...others, { release, reason }].slice(-DENIED_LIMIT);
}

/** newProgress is that of a node that was at nothing yet. */
export function newProgress(nowMs: number): NodeProgress {
  return {
    ...{ phase: 'Idle', since: momentOf(nowMs), attempts: 0, denied: [], escalated: false },
    ...{ starts: 0, failures: 0 },
  };
}

/**
 * withTarget is the NodeUpdate of a node that is not admitted, brought to a target: waiting for the permit to stage, or
 * with it. What the node failed on stays denied; starts of the same release stay counted; a permission to start ends.
 */
export function withTarget(
  update: StoredNodeUpdate,
  target: Target,
  phase: 'Queued' | 'Staging',
  nowMs: number,
): { spec: NodeUpdateSpec; status: NodeUpdateStatus } {
  const { authorization: _dropped, target: before, ...spec } = update.spec;
  const {
    reason: _over,
    nextTry,
    retargetedAt: _old,
    ...old
  } = update.status?.progress ?? newProgress(nowMs);
  const isSame = before?.release === target.release;
  return {
    spec: { ...spec, target },
    status: {
      progress: {
        ...old,
        ...{ phase, since: momentOf(nowMs), escalated: false },
        ...(isSame ? nextTry && { nextTry } : { attempts: 0, starts: 0, failures: 0 }),
      },
      node: restaging(update.status?.node, isSame),
    },
  };
}

/** What is staged is known of the release before; of another one the node has to say it anew. */
export function restaging(report: NodeReport | undefined, isSame: boolean): NodeReport | undefined {
  return report && !isSame ? { ...report, stagedPercent: 0 } : report;
}
