import { type Authorization, momentMs, momentOf, type NodePhase, type Reason } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { actOf } from './acting.ts';
import {
  type Change,
  fence,
  hasRebooted,
  isOfThisBoot,
  move,
  type NodeCase,
  type Step,
  taintWrite,
} from './node-case.ts';
import { AUTHORIZATION_MS, CLOCK_SKEW_MS } from './phases.ts';
import { hasUpdateTaint } from './slot.ts';
import { isGoingBack } from './stop.ts';

/** Starts that may be permitted for one release on one node: there, and back. */
const STARTS_LIMIT = 2;
const ASK_MS = 5_000;

/**
 * authorize permits one start: of this Node, out of this boot, into the system of this root hash, soon. The permission is
 * written before it is sent, and only while the API server shows our taint on the Node as it was looked at.
 */
export function authorize(
  node: NodeCase,
  direction: Authorization['direction'],
  rootHash: string,
  phase: NodePhase,
  change: Change = {},
): Decision {
  const authorization: Authorization = {
    ...{ nodeUid: node.node.uid, bootId: node.node.bootId, rootHash, direction },
    notAfter: momentOf(node.nowMs + AUTHORIZATION_MS),
    // No two versions of an object are the same, so no two permissions are.
    nonce: `${node.update.uid}.${node.update.resourceVersion}`,
  };
  return move(node, phase, {
    ...change,
    // Where the taint is not seen, this sets it: not for a NodeUpdate that is over already.
    before: [...(hasUpdateTaint(node.node) ? [] : [fence(node)]), taintWrite(node)],
    spec: { ...change.spec, authorization },
    progress: { ...change.progress, starts: node.progress.starts + 1 },
  });
}

/** isUnused says that the permission is over, and that plinthd was asked after that and is still in the boot it names. */
export function isUnused(node: NodeCase): boolean {
  const { authorization } = node.update.spec;
  if (!authorization || hasRebooted(node)) return false;
  return (
    node.report !== undefined &&
    momentMs(node.report.observedAt) >= momentMs(authorization.notAfter) + CLOCK_SKEW_MS &&
    !ENDING.includes(node.report.updatePhase)
  );
}

/** plinthd's phases in which the boot may end any moment. */
const ENDING = ['draining', 'rebooting'];

/** awaitStart sends the permission as long as it is good, and waits for the end of the boot. */
export function awaitStart(node: NodeCase): Step {
  const { target, report, nowMs, progress } = node;
  const { authorization } = node.update.spec;
  if (!authorization) return move(node, 'Yielding', { reason: LOST });
  if (hasRebooted(node)) return move(node, 'Verifying');
  if (isUnused(node)) return move(node, 'Yielding', { reason: unused(node) });
  const isGood = nowMs < momentMs(authorization.notAfter);
  const isEnding = report !== undefined && ENDING.includes(report.updatePhase);
  const act = actOf(report);
  // Time for the reboot is counted from when it began, or could at the latest.
  if (progress.phase === 'Authorized' && (isEnding || !isGood)) return move(node, 'Rebooting');
  return {
    awaits: act ?? { code: 'node/starting', text: 'it is about to start the release' },
    calls: isGood && !isEnding && !act ? [{ call: 'activate', target }] : [{ call: 'report' }],
    againMs: ASK_MS,
  };
}

const LOST: Reason = { code: 'node/no-authorization', text: 'its permission to start was taken away' };

function unused({ report }: NodeCase): Reason {
  return {
    code: 'node/not-started',
    text: report?.failure
      ? `plinthd did not start it: ${report.failure.text}`.slice(0, 1024)
      : 'it did not start the release in time',
  };
}

/** A start was permitted in this slot: the permission before goes when a slot is taken up. */
function isPermitted({ update }: NodeCase): boolean {
  return update.spec.authorization !== undefined;
}

/** needsReboot says that the release comes into effect by a reboot on this node; it goes back the way it came. */
export function needsReboot(node: NodeCase): boolean {
  const { target, report, progress } = node;
  if (target.rebootRequired || report?.config?.needs === 'Reboot' || isPermitted(node)) return true;
  return isGoingBack(node) && progress.starts > 0;
}

/** wasStarted says that the node runs the system of the target, and was permitted to start in this slot. */
export function wasStarted(node: NodeCase): boolean {
  const { target, report } = node;
  return isPermitted(node) && target.osRootHash !== '' && report?.osRootHash === target.osRootHash;
}

/**
 * systemBefore is the root hash that the node is started back into: that of a proven system before the target's, or its own where only
 * its config goes back. undefined: there is none, or nothing to go back from.
 */
export function systemBefore(node: NodeCase): string | undefined {
  const { target, report } = node;
  if (!report) return undefined;
  if (target.osRootHash !== '' && report.osRootHash === target.osRootHash)
    return /^[0-9a-f]{64}$/.test(report.rollbackRootHash) && report.rollbackRootHash !== target.osRootHash
      ? report.rollbackRootHash
      : undefined;
  return report.config?.isOurs ? report.osRootHash : undefined;
}

/** backInto is what a node that was started for the release is started back into; undefined: it is not, may not be once more, or plinthd is at an act. */
export function backInto(node: NodeCase): string | undefined {
  const { starts } = node.progress;
  const mayStart =
    isOfThisBoot(node) && isPermitted(node) && starts < STARTS_LIMIT && actOf(node.report) === undefined;
  return mayStart ? systemBefore(node) : undefined;
}
