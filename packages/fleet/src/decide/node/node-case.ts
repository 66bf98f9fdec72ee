import {
  momentMs,
  momentOf,
  type NodePhase,
  type NodeProgress,
  type NodeReport,
  type NodeUpdateSpec,
  type Reason,
  type Target,
} from '../../objects/index.ts';
import type { FleetView, NodeView, StoredNodeUpdate, StoredPolicy, StoredRollout } from '../../view/view.ts';
import {
  type At,
  type Decision,
  type NodeCall,
  OUTDATED_EFFECT,
  OUTDATED_TAINT,
  UPDATE_TAINT,
  type Write,
} from '../decision.ts';
import { PHASES } from './phases.ts';
import type { LedgerEntry } from './slot.ts';

/** One node and all that its steps look at. */
export interface NodeCase {
  readonly view: FleetView;
  readonly nowMs: number;
  readonly update: StoredNodeUpdate;
  readonly node: NodeView;
  readonly policy: StoredPolicy;
  readonly target: Target;
  readonly rollout: StoredRollout | undefined;
  readonly progress: NodeProgress;
  readonly report: NodeReport | undefined;
  /** The ledger's entry of this node, of this very Node object. */
  readonly entry: LedgerEntry | undefined;
}

/** The node stays in its phase: why, and what is done meanwhile. */
export interface Waiting {
  readonly awaits: Reason;
  readonly writes?: readonly Write[];
  readonly calls?: readonly NodeCall[];
  /** When to look again though nothing in the view changed. */
  readonly againMs: number;
}

export type Step = Decision | Waiting;

/** isWaiting tells the two outcomes of a step apart. */
export function isWaiting(step: Step): step is Waiting {
  return 'awaits' in step;
}

/** rest leaves everything as it is until something changes. */
export function rest(lookAgainAtMs?: number): Decision {
  return { writes: [], calls: [], lookAgainAtMs };
}

/** Changes that come with a move into another phase; `undefined` takes a value away. */
export interface Change {
  readonly reason?: Reason;
  readonly progress?: Partial<NodeProgress>;
  readonly spec?: Partial<NodeUpdateSpec>;
  readonly report?: NodeReport | undefined;
  /** Carried out first; when one fails, the phase is not written. */
  readonly before?: readonly Write[];
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly reason: string };
}

/** move writes the next phase: first what has to be so, then the phase, then the event for people. */
export function move(node: NodeCase, phase: NodePhase, change: Change = {}): Decision {
  const { reason: _old, ...progress } = node.progress;
  const write: Write = {
    ...{ do: 'node-update', at: at(node.update) },
    ...(change.spec && { spec: { ...node.update.spec, ...change.spec } }),
    status: {
      progress: {
        ...progress,
        ...{ phase, since: momentOf(node.nowMs), ...(change.reason && { reason: change.reason }) },
        ...change.progress,
      },
      node: 'report' in change ? change.report : node.report,
    },
  };
  const events: Write[] = change.event
    ? [eventOf(node, change.event, change.reason?.text ?? `${phase}: ${PHASES[phase].does}`)]
    : [];
  return { writes: [...(change.before ?? []), write, ...events], calls: [], lookAgainAtMs: node.nowMs };
}

/**
 * onward goes on in the same decision from a phase that waits for nothing. The write of that phase fails when the NodeUpdate has changed
 * and so is the fence for what follows; killed after it, the next look finds the phase and sets its own fence.
 * @param next the step of the phase; its fence is left out
 */
export function onward(node: NodeCase, first: Decision, next: (node: NodeCase) => Decision): Decision {
  const written = first.writes.find((write) => write.do === 'node-update');
  if (!written?.status?.progress) return first;
  const { status, spec = node.update.spec } = written;
  const then = next({
    ...{ ...node, update: { ...node.update, spec, status }, progress: written.status.progress },
    report: status.node,
  });
  const writes = then.writes
    .filter((write) => write.do !== 'node-update' || write.status !== status)
    .map((write): Write => (write.do === 'node-update' ? { ...write, follows: true } : write));
  return { ...then, writes: [...first.writes, ...writes] };
}

function eventOf(
  { node, target }: NodeCase,
  { type, reason }: { type: 'Normal' | 'Warning'; reason: string },
  text: string,
): Write {
  return {
    ...{ do: 'event', on: { kind: 'Node', name: node.name, uid: node.uid }, type, reason },
    message: `${target.release}: ${text}`,
  };
}

/** at is the version of an object that a decision was made on. */
export function at({ name, uid, resourceVersion }: At): At {
  return { name, uid, resourceVersion };
}

/**
 * fence writes the NodeUpdate as it is, which fails when it has changed since it was looked at. It goes before every change of
 * the Node: what is looked at may be behind in one kind and not in the other, and an old intent must not act on a new Node.
 * After it, the Node's own version tells that nobody acted since.
 */
export function fence({ update }: NodeCase): Write {
  return { do: 'node-update', at: at(update), ...(update.status && { status: update.status }) };
}

/** taintWrite sets our taint. Where it is set already it changes nothing, and fails on a Node that changed since: so it proves it too. */
export function taintWrite({ node, target }: NodeCase): Write {
  return {
    ...{ do: 'taint', at: at(node) },
    taint: { key: UPDATE_TAINT, value: labelValue(target.release), effect: 'NoSchedule' },
  };
}

/**
 * untaintWrite removes our taint and nothing else; it proves its absence as taintWrite proves its presence. Of a node that is done the
 * mark of those that are still to come goes with it.
 */
export function untaintWrite({ node }: NodeCase, isDone: boolean): Write {
  return {
    ...{ do: 'untaint', at: at(node), key: UPDATE_TAINT, effect: 'NoSchedule' },
    ...(isDone && { also: { key: OUTDATED_TAINT, effect: OUTDATED_EFFECT } }),
  };
}

/** A taint's value is a label value; a release's name may be longer. */
function labelValue(name: string): string {
  return name.slice(0, 63).replace(/[^A-Za-z0-9]+$/, '');
}

/** hasRebooted says that the boot the authorization names is over. */
export function hasRebooted({ update, node, report }: NodeCase): boolean {
  const bootId = update.spec.authorization?.bootId;
  return (
    bootId !== undefined && (node.bootId !== bootId || (report !== undefined && report.bootId !== bootId))
  );
}

/** isOfThisBoot says that plinthd and the kubelet spoke of the same boot. */
export function isOfThisBoot({ node, report }: NodeCase): boolean {
  return report !== undefined && report.bootId === node.bootId;
}

/** sinceMs is when the phase began. */
export function sinceMs({ progress }: NodeCase): number {
  return momentMs(progress.since);
}
