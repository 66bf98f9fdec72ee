import { momentMs, type NodePhase, type NodeReport, type Reason } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { actOf } from './acting.ts';
import { fence, move, type NodeCase, onward, rest, type Step, taintWrite } from './node-case.ts';
import { isPrepared, isReplaced } from './replacing.ts';
import { isGoingBack, whyNotBegin, whyStop } from './stop.ts';
import { deniedReason, isAtTarget } from './target.ts';

// Steps until the start is permitted. In all of them the node can still give its slot back unharmed.

const STAGE_MS = 5_000;
/** How often a node that is done is asked whether its config is still that of the release. */
const DRIFT_MS = 600_000;
const ASK_AGAIN_MS = 30_000;

/** staging lets plinthd fetch the parts; a node on which the version failed before is never brought to it again. */
export function staging(node: NodeCase): Step {
  const { target, report, progress } = node;
  const denied =
    deniedReason(progress, target.release) ?? (isReplaced(node) ? undefined : blockedByNode(node));
  if (denied) return move(node, 'Quarantined', { reason: denied });
  if (isPrepared(node)) return move(node, 'Staged', { progress: { nextTry: undefined } });
  return {
    awaits: { code: 'node/staging', text: report?.failure?.text ?? 'plinthd fetches the release' },
    calls: [{ call: 'stage', target }],
    againMs: STAGE_MS,
  };
}

/** plinthd takes a version it blocked when it is named, so it is not named. */
function blockedByNode({ target, report }: NodeCase): Reason | undefined {
  return target.osVersion !== '' && report?.blockedVersions.includes(target.osVersion)
    ? { code: 'node/blocked-version', text: `plinthd blocked ${target.osVersion}: it failed on this node` }
    : undefined;
}

/** staged waits for an entry in the ledger, and takes it up or gives it back. */
export function staged(node: NodeCase): Step {
  if (isNewEntry(node)) return takeUp(node, 'Staged');
  // Somebody else brought it there, or an operator with old news took it for one that is still to come.
  if (isAtTarget(node.target, node.report, node.node)) return move(node, 'Soaking');
  if (!isPrepared(node))
    return move(node, 'Queued', {
      reason: { code: 'node/not-staged', text: 'the release lies on the node no more' },
    });
  const act = actOf(node.report);
  // It is no candidate for a slot meanwhile, so it is asked when that is over.
  return act ? { awaits: act, calls: [{ call: 'report' }], againMs: ASK_AGAIN_MS } : rest();
}

/** atRest is a node that waits for the policy: it only gives back what it was given by mistake, or goes back when asked to. */
export function atRest(node: NodeCase): Step {
  if (isNewEntry(node)) return takeUp(node, node.progress.phase);
  if (node.report && node.progress.phase === 'Done' && node.target.configDigest !== '')
    return watchDrift(node, node.report);
  return node.report
    ? rest()
    : {
        ...{ awaits: { code: 'node/not-heard', text: 'plinthd was not asked yet' } },
        ...{ calls: [{ call: 'report' }], againMs: 30_000 },
      };
}

/** A node with a config is asked now and then whether it still has it: people and other tools change configs too. */
function watchDrift({ nowMs }: NodeCase, { observedAt }: NodeReport): Step {
  const dueMs = momentMs(observedAt) + DRIFT_MS;
  if (dueMs > nowMs) return rest(dueMs);
  return {
    awaits: { code: 'node/drift', text: 'plinthd is asked for its config' },
    ...{ calls: [{ call: 'report' }], againMs: ASK_AGAIN_MS },
  };
}

/**
 * One that was taken up or declined before is not new, nor is one of before that: the ledger may be seen late. The ledger gives
 * each moment once and only ever later ones, so they are compared as numbers of slots, not as times of clocks.
 */
function isNewEntry({ entry, progress }: NodeCase): boolean {
  if (entry === undefined) return false;
  return progress.admittedAt === undefined || momentMs(entry.since) > momentMs(progress.admittedAt);
}

function takeUp(node: NodeCase, otherwise: NodePhase): Decision {
  const begins = node.progress.phase === 'Staged' || isGoingBack(node);
  const against = begins
    ? whyNotBegin(node)
    : { code: 'node/not-staged', text: 'it was given a slot it does not need' };
  const progress = { admittedAt: node.entry?.since, placeKept: undefined };
  if (against) return move(node, otherwise, { reason: against, progress });
  const taken = move(node, 'Tainting', {
    ...(node.update.spec.authorization && { spec: { authorization: undefined } }),
    progress,
    event: { type: 'Normal', reason: isGoingBack(node) ? 'GoingBack' : 'Updating' },
  });
  return onward(node, taken, tainting);
}

/**
 * tainting keeps new pods away, by our own taint: the cordon of a person is never touched. The phase is only left after the API
 * server took the taint in it, even to give the slot back: what is seen of the Node may be of the slot before, and the removal of
 * a taint that was there changes the Node, so an old intent to set it comes to nothing.
 */
export function tainting(node: NodeCase): Decision {
  const before = [fence(node), taintWrite(node)];
  const stop = whyStop(node);
  if (stop) return move(node, 'Yielding', { reason: stop, before });
  return move(node, node.policy.spec.hooks.before.length > 0 ? 'PreHook' : 'Draining', { before });
}

/** preHook waits for those who have to prepare something before the node is emptied. */
export function preHook(node: NodeCase): Step {
  const stop = whyStop(node);
  if (stop) return move(node, 'Yielding', { reason: stop });
  return awaitHooks(node, node.policy.spec.hooks.before) ?? move(node, 'Draining');
}

/** awaitHooks waits for annotations that name this rollout, so those of one before do not count; undefined: all are there. */
export function awaitHooks({ node, target }: NodeCase, keys: readonly string[]): Step | undefined {
  const missing = keys.find((key) => node.annotations[key] !== target.rollout);
  return missing === undefined
    ? undefined
    : {
        awaits: { code: 'node/hook', text: `the annotation ${missing} is not ${target.rollout} yet` },
        againMs: 60_000,
      };
}
