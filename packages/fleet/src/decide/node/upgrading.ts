import { momentMs } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { fail } from './fail.ts';
import { move, type NodeCase, type Step, sinceMs } from './node-case.ts';
import { whyStop } from './stop.ts';
import { kubernetesAt } from './target.ts';

const ASK_MS = 5_000;

/**
 * beginUpgrade goes over to the upgrade of Kubernetes, before a start is permitted: a permission is good for two minutes, an upgrade
 * takes longer. What plinthd was at last is remembered, so that what it says then is known to be of this upgrade.
 */
export function beginUpgrade(node: NodeCase): Decision {
  return move(node, 'Upgrading', {
    progress: { actBefore: node.report?.kubernetesAct?.startedAt },
    event: { type: 'Normal', reason: 'UpgradingKubernetes' },
  });
}

/**
 * upgrading lets plinthd switch Kubernetes and waits for the kubelet. Afterwards the node is looked at as one that is being emptied, so
 * whatever else the release has comes in the same slot. An upgrade that failed was taken back by plinthd; the release is denied.
 */
export function upgrading(node: NodeCase): Step {
  const { target, report, node: machine, progress } = node;
  if (report && kubernetesAt(target, report, machine) && machine.isReady) return move(node, 'Draining');
  const act = report?.kubernetesAct;
  const isOurs = act !== undefined && act.startedAt !== progress.actBefore;
  if (isOurs && act.state !== 'Running' && act.state !== 'Done')
    return fail(node, act.failure ?? { code: 'node/not-upgraded', text: 'plinthd took the upgrade back' });
  const stop = whyStop(node);
  if (stop && !mayUpgrade(node)) return move(node, 'Yielding', { reason: stop });
  const isWanted = stop === undefined && !isOurs;
  return {
    awaits: { code: 'node/upgrading', text: `plinthd brings Kubernetes ${target.kubernetesVersion}` },
    ...{ calls: [isWanted ? { call: 'upgrade-kubernetes', target } : { call: 'report' }], againMs: ASK_MS },
  };
}

/** mayUpgrade says that plinthd may be switching Kubernetes: it says so, or was not asked since it could have been told to. */
export function mayUpgrade(node: NodeCase): boolean {
  const { report } = node;
  if (!report || momentMs(report.observedAt) < sinceMs(node)) return true;
  return report.kubernetesAct?.state === 'Running';
}
