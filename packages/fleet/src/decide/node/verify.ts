import { durationMs, type NodeReport, type Reason } from '../../objects/index.ts';
import { gateProblem } from '../rollout/holds.ts';
import { hasRebooted, isOfThisBoot, type NodeCase, sinceMs } from './node-case.ts';
import { needsReboot, wasStarted } from './start.ts';
import { isAtTarget } from './target.ts';

/** What is known of a node that started something. */
export type Verdict =
  | { readonly is: 'proven' }
  | { readonly is: 'waiting'; readonly reason: Reason; readonly againMs: number }
  /** It runs something else: plinthd or the boot loader went back by itself. */
  | { readonly is: 'fell-back'; readonly reason: Reason };

const ASK_MS = 5_000;

/** judgeStart says whether the node runs the target and is healthy. All has to be told of the boot that runs now. */
export function judgeStart(node: NodeCase): Verdict {
  const { target, report } = node;
  if (needsReboot(node) && !hasRebooted(node)) return waiting('node/same-boot', 'its boot has not ended');
  if (!report || !isOfThisBoot(node))
    return waiting('node/not-heard', 'plinthd of this boot has not answered yet');
  if (target.osRootHash !== '' && report.osRootHash !== target.osRootHash)
    return {
      is: 'fell-back',
      reason: report.failure ?? {
        code: 'node/fell-back',
        text: `it runs ${report.osVersion} instead of ${target.osVersion}`,
      },
    };
  if (report.config?.state === 'Reverted') return { is: 'fell-back', reason: revertedReason(report) };
  if (isOnTrial(report))
    return waiting('node/on-trial', `the health contract of its boot is ${report.contract}`);
  if (!isAtTarget(target, report, node.node))
    return waiting('node/not-at-target', 'it does not run all parts of the release yet');
  return judgeReady(node) ?? judgeGates(node) ?? { is: 'proven' };
}

/** judgeBack says whether the node is back on what it ran before, and healthy. */
export function judgeBack(node: NodeCase): Verdict {
  const { report } = node;
  if (!report || !isOfThisBoot(node))
    return waiting('node/not-heard', 'plinthd of this boot has not answered yet');
  if (wasStarted(node)) return waiting('node/not-back', `it still runs ${report.osVersion}`);
  if (report.kubernetesAct?.state === 'Running')
    return waiting('node/upgrading', 'plinthd is still switching Kubernetes');
  // A node that came to it without a reboot is not rebooted to go back: its next boot does.
  const isLeft = report.config?.isBackStaged === true && node.update.spec.authorization === undefined;
  if (report.config?.isOurs && !isLeft)
    return waiting('node/not-back', 'it still has the config of the release');
  if (isOnTrial(report))
    return waiting('node/on-trial', `the health contract of its boot is ${report.contract}`);
  return judgeReady(node) ?? { is: 'proven' };
}

/** revertedReason is why plinthd took a config back. */
export function revertedReason({ failure }: NodeReport): Reason {
  return failure ?? { code: 'config/reverted', text: 'plinthd took the config back' };
}

/** Before plinthd first looked, there is no contract of this boot yet, but it says that it is about to. */
function isOnTrial({ contract, updatePhase }: NodeReport): boolean {
  return contract === 'running' || contract === 'broken' || updatePhase === 'assessing';
}

/** Ready without a break, counted in this phase: a Node may show Ready of the boot before for a moment. */
function judgeReady(node: NodeCase): Verdict | undefined {
  const { isReady, readySinceMs } = node.node;
  if (!isReady) return waiting('node/not-ready', 'it is not Ready');
  const enoughMs =
    Math.max(readySinceMs, sinceMs(node)) + durationMs(node.policy.spec.nodeHealth.ready) - node.nowMs;
  return enoughMs > 0
    ? waiting('node/ready-not-held', 'it has not been Ready for long enough', enoughMs)
    : undefined;
}

/** A gate for nodes holds the node back; one that could not be asked does too. */
function judgeGates({ policy, view }: NodeCase): Verdict | undefined {
  const problem = gateProblem(view, policy, ['Node']);
  return problem && waiting(problem.code, problem.text);
}

function waiting(code: string, text: string, againMs = ASK_MS): Verdict {
  return { is: 'waiting', reason: { code, text }, againMs };
}
