import { momentMs, type NodeReport, type Reason } from '../../objects/index.ts';
import { type NodeCase, sinceMs } from './node-case.ts';

/** How old what a node said may be when it is permitted to start: it may have begun with something since. */
const FRESH_MS = 60_000;

/**
 * actOf is the act that plinthd is at and that a drain or a reboot would cut into; undefined: none that it told. plinthd refuses a start
 * meanwhile (machine/busy), and the operator does not ask for one: a node would be empty, and its slot gone, for nothing.
 */
export function actOf(report: NodeReport | undefined): Reason | undefined {
  if (report?.kubernetesAct?.state !== 'Running') return undefined;
  return {
    code: 'node/acting',
    text: `plinthd is at an act on Kubernetes since ${report.kubernetesAct.startedAt}, and is waited for`,
  };
}

/**
 * whyNotEmpty is why the node may not be emptied yet: plinthd is at an act, tries a config, or was not heard since the slot was taken up.
 * undefined: it may. A node that is replaced need not answer, only not be at an act.
 */
export function whyNotEmpty(node: NodeCase): Reason | undefined {
  const act = actOf(node.report) ?? trialOf(node.report);
  if (act || node.policy.spec.replace !== undefined) return act;
  const heardMs = node.report ? momentMs(node.report.observedAt) : Number.NEGATIVE_INFINITY;
  return heardMs < sinceMs(node) ? NOT_HEARD : undefined;
}

/** isFresh says that the node was heard lately enough to be started by what it said. */
export function isFresh({ report, nowMs }: NodeCase): boolean {
  return report !== undefined && nowMs - momentMs(report.observedAt) <= FRESH_MS;
}

function trialOf(report: NodeReport | undefined): Reason | undefined {
  return report?.config?.state === 'OnTrial'
    ? { code: 'node/acting', text: 'plinthd tries a machine config, and is waited for' }
    : undefined;
}

const NOT_HEARD: Reason = {
  code: 'node/not-heard',
  text: 'plinthd has not said yet, in this slot, whether it is at an act',
};
