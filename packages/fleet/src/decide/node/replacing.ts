import type { Reason } from '../../objects/index.ts';
import type { Write } from '../decision.ts';
import { fence, move, type NodeCase, type Step, taintWrite } from './node-case.ts';
import { isGoingBack, whyStop } from './stop.ts';
import { isStaged } from './target.ts';

const AGAIN_MS = 15_000;

/** isReplaced says that the node is replaced by its provider and not started: nothing is staged on it, and nothing goes back. */
export function isReplaced(node: NodeCase): boolean {
  return node.policy.spec.replace !== undefined && !isGoingBack(node);
}

/** isPrepared says that all is there for the disruption: a node that is replaced needs nothing. */
export function isPrepared(node: NodeCase): boolean {
  return isReplaced(node) || isStaged(node.target, node.report, node.node);
}

/**
 * replacing has the provider replace the node, which is empty. First the ledger marks the slot as one that outlives its Node, which is the
 * policy's look; then the NodeUpdate says so too, so an operator that sees an older ledger does not give the node back meanwhile; then the
 * Machine is deleted, and the Node goes with it. From there on the node goes on unless the Machine is known to stay.
 */
export function replacing(node: NodeCase): Step {
  const { entry, view, node: machine, progress } = node;
  const stop = whyStop(node);
  if (stop && !progress.placeKept) return move(node, 'Yielding', { reason: stop });
  if (entry?.replaced === undefined)
    return awaiting('node/keeping-place', 'the ledger is about to keep its place');
  if (!progress.placeKept)
    return move(node, 'Replacing', { progress: { placeKept: true, since: progress.since } });
  const tried = view.replaceTries?.get(machine.uid);
  if (tried?.is === 'refused')
    return move(node, 'Yielding', refused({ code: 'node/not-replaced', text: tried.text }));
  if (stop && tried?.is === 'kept') return move(node, 'Yielding', { reason: stop });
  const text =
    tried?.is === 'deleting' ? 'its Machine is on its way out' : (tried?.text ?? 'its Machine is asked for');
  const isDue = tried === undefined || view.nowMs - tried.atMs >= AGAIN_MS;
  return { ...awaiting('node/replacing', text), writes: isDue ? asking(node, stop === undefined) : [] };
}

/** Whoever deletes has proven that the NodeUpdate still says so and that the taint is there. */
function asking(node: NodeCase, mayDelete: boolean): Write[] {
  const { node: machine, target } = node;
  const asked: Write = {
    ...{ do: 'replace-node', node: machine.name, uid: machine.uid, mayDelete },
    kubernetesVersion: target.kubernetesVersion,
  };
  return mayDelete ? [fence(node), taintWrite(node), asked] : [asked];
}

function refused(reason: Reason) {
  return { reason, event: { type: 'Warning', reason: 'NotReplaced' } } as const;
}

function awaiting(code: string, text: string) {
  return { awaits: { code, text: text.slice(0, 1024) }, againMs: AGAIN_MS };
}
