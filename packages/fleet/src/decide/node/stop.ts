import { momentMs, type Reason } from '../../objects/index.ts';
import { HOLD_LABEL } from '../decision.ts';
import type { NodeCase } from './node-case.ts';
import { deniedReason, isStaged } from './target.ts';

/** isGoingBack says that a person takes the rollout back, and this node runs what it brought. Kubernetes does not go back. */
export function isGoingBack({ rollout, target, report }: NodeCase): boolean {
  const runsSystem = target.osRootHash !== '' && report?.osRootHash === target.osRootHash;
  const hasConfig = report?.config?.isOurs === true && !report.config.isBackStaged;
  return rollout?.spec.abort === 'Rollback' && (runsSystem || hasConfig);
}

/**
 * whyStop is why a node that has a slot and was not permitted to start yet does not go on; undefined: it goes on. A pause
 * and a halt let nodes in flight finish; these do not.
 */
export function whyStop(node: NodeCase): Reason | undefined {
  const { node: machine, rollout, target, view, entry, progress, policy } = node;
  const release = view.releases.get(target.release)?.spec;
  if (!entry || entry.since !== progress.admittedAt)
    return because('ledger/lost', 'the ledger does not give it the slot it took');
  if (Object.hasOwn(machine.labels, HOLD_LABEL))
    return because('node/held', `it has the label ${HOLD_LABEL}`);
  if (!view.policies.has(policy.name)) return because('policy/gone', 'its policy is gone');
  if (machine.isDeleting) return because('node/deleting', 'its Node is being deleted');
  if (isGoingBack(node)) return undefined;
  if (rollout?.spec.abort !== 'None') return because('rollout/aborted', 'its rollout was ended');
  if (!release || release.blocked) return because('release/recalled', 'its release was recalled');
  const denied = deniedReason(progress, target.release);
  if (denied) return denied;
  return undefined;
}

/** whyNotBegin is why a node that was just given a slot gives it back at once. */
export function whyNotBegin(node: NodeCase): Reason | undefined {
  const { policy, rollout, progress, target, report, node: machine, nowMs, entry } = node;
  const stop = whyStop({ ...node, progress: { ...progress, admittedAt: entry?.since } });
  if (stop) return stop;
  if (policy.spec.paused || rollout?.spec.paused) return because('rollout/paused', 'its rollout is paused');
  if (isGoingBack(node)) return undefined;
  if (rollout?.spec.halt || rollout?.status?.phase === 'Halted')
    return because('rollout/halted', 'its rollout is halted');
  if (progress.nextTry !== undefined && momentMs(progress.nextTry) > nowMs)
    return because('node/backing-off', 'its next try is later');
  if (policy.spec.replace === undefined && !isStaged(target, report, machine))
    return because('node/not-staged', 'the release is not staged');
  return undefined;
}

function because(code: string, text: string): Reason {
  return { code, text };
}
