import { momentMs, type NodePhase, type NodeReport, type Reason } from '../../objects/index.ts';
import type { FleetView, StoredNodeUpdate } from '../../view/view.ts';
import type { Decision, Write } from '../decision.ts';
import { policyOf } from '../policy-of.ts';
import { ledgerNameOf } from '../rollout/pool.ts';
import { backOffMs } from './back-off.ts';
import { draining } from './draining.ts';
import { fail, lose } from './fail.ts';
import { at, isWaiting, move, type NodeCase, rest, type Step, sinceMs, type Waiting } from './node-case.ts';
import { PHASES } from './phases.ts';
import { replacing } from './replacing.ts';
import { isNews, reportOf } from './report.ts';
import {
  postHook,
  rollingBack,
  soaking,
  starting,
  unreachable,
  untainting,
  verifying,
  yielding,
} from './steps-after.ts';
import { atRest, preHook, staged, staging, tainting } from './steps-before.ts';
import { newProgress } from './target.ts';
import { upgrading } from './upgrading.ts';

const UNHEARD_MS = 30_000;
/** How long what a new node said first may be known to the operator alone. */
const FIRST_REPORT_MS = 60_000;

/** What is done in each phase. */
const STEPS: Readonly<Record<NodePhase, (node: NodeCase) => Step>> = {
  ...{ Idle: atRest, Queued: atRest, Staging: staging, Staged: staged },
  ...{ Tainting: tainting, PreHook: preHook, Draining: draining, Upgrading: upgrading },
  Replacing: replacing,
  ...{ Authorized: starting, Rebooting: starting, Verifying: verifying, PostHook: postHook },
  ...{ Untainting: untainting, Soaking: soaking, Done: atRest, Yielding: yielding },
  ...{ RollingBack: rollingBack, Quarantined: atRest, Unreachable: unreachable },
};

/**
 * decideNode says what is done next for one node: a pure function of the view, which is all a new leader has as well. It
 * intends (writes a phase), acts in a way that can be repeated, and goes on when it sees that it is so. Nothing is decided
 * before the view is whole, or for a Node that is not the one the NodeUpdate was made for.
 */
export function decideNode(view: FleetView, nodeName: string): Decision {
  const node = caseOf(view, nodeName);
  if (!node) return withoutTarget(view, nodeName);
  const step = STEPS[node.progress.phase](node);
  if (!isWaiting(step)) return step.writes.length > 0 ? step : withNews(node, step);
  const { deadlineMs, onDeadline } = PHASES[node.progress.phase];
  const lengthMs = deadlineMs(node.policy.spec, node.target.lane);
  const overMs = lengthMs === undefined ? Number.POSITIVE_INFINITY : momentMs(node.progress.since) + lengthMs;
  if (onDeadline !== undefined && node.nowMs >= overMs) return leave(node, onDeadline, step.awaits);
  return stay(node, step, overMs);
}

function caseOf(view: FleetView, name: string): NodeCase | undefined {
  const node = view.nodes.get(name);
  const update = view.nodeUpdates.get(name);
  const target = update?.spec.target;
  if (!view.isSynced || !node || !update || !target) return undefined;
  // Another machine of this name: its own NodeUpdate is made when this one has gone.
  if (update.spec.nodeUid !== node.uid) return undefined;
  const policy = policyOf(view, update.spec.policy);
  const entries = view.ledgers.get(ledgerNameOf(policy))?.status?.entries ?? [];
  return {
    ...{ view, nowMs: view.nowMs, update, node, policy, target },
    rollout: view.rollouts.get(target.rollout),
    progress: update.status?.progress ?? newProgress(view.nowMs),
    report: reportOf(view, update),
    entry: entries.find((each) => each.node === name && each.uid === node.uid),
  };
}

/** A node that has no target yet is asked what it runs, so one can be chosen for it. */
function withoutTarget(view: FleetView, name: string): Decision {
  const update = view.nodeUpdates.get(name);
  if (!view.isSynced || !update || update.spec.target || view.nodes.get(name)?.uid !== update.spec.nodeUid)
    return rest();
  const report = reportOf(view, update);
  const lookAgainAtMs = view.nowMs + UNHEARD_MS;
  if (!report) return { writes: [], calls: [{ node: name, call: { call: 'report' } }], lookAgainAtMs };
  if (!isNews(report, update.status?.node)) return rest();
  // Where a release is on its way, the permit to stage it takes along what a new node said first.
  const dueMs = update.status?.node ? view.nowMs : update.createdAtMs + FIRST_REPORT_MS;
  return dueMs > view.nowMs ? rest(dueMs) : { ...rest(), writes: [telling(update, report)] };
}

/** What the node said is written by itself only where no phase is about to take it along. */
function withNews({ update, report }: NodeCase, decision: Decision): Decision {
  if (!report || !isNews(report, update.status?.node)) return decision;
  return { ...decision, writes: [telling(update, report)] };
}

function telling(update: StoredNodeUpdate, node: NodeReport): Write {
  const { progress } = update.status ?? {};
  return { do: 'node-update', at: at(update), status: { ...(progress && { progress }), node } };
}

function leave(
  node: NodeCase,
  to: 'Queued' | 'Yielding' | 'Fail' | 'Unreachable',
  awaited: Reason,
): Decision {
  const { progress, policy, nowMs } = node;
  const reason = { code: awaited.code, text: `not in time: ${awaited.text}`.slice(0, 1024) };
  if (to === 'Fail') return fail(node, reason);
  if (progress.phase === 'Replacing') return lose(node, reason);
  if (to !== 'Queued') return move(node, to, { reason, event: { type: 'Warning', reason: to } });
  return move(node, 'Queued', {
    reason,
    progress: {
      attempts: progress.attempts + 1,
      nextTry: new Date(nowMs + backOffMs(policy.spec, progress.attempts)).toISOString(),
    },
    event: { type: 'Warning', reason: 'StagingFailed' },
  });
}

/**
 * The node waits: once that lasts, what it waits for and what it said are written, so people see it. A node that is well goes on before,
 * and its next phase takes along what it said.
 */
function stay(
  node: NodeCase,
  { awaits, writes = [], calls = [], againMs }: Waiting,
  overMs: number,
): Decision {
  const { progress, nowMs, update, report } = node;
  const isKnown = progress.reason?.code === awaits.code && progress.reason.text === awaits.text;
  // In rest and in short phases nobody looks; what failed before stands where the node goes back.
  const isUsual = USUAL.includes(awaits.code) && progress.reason === undefined;
  const tells = !isKnown && !isUsual && TOLD.includes(progress.phase);
  const hasNews = report !== undefined && isNews(report, update.status?.node);
  const atMs = tells || hasNews ? sinceMs(node) + QUIET_MS : Number.POSITIVE_INFINITY;
  const status = {
    progress: tells ? { ...progress, reason: awaits } : progress,
    ...(report && { node: report }),
  };
  const isDue = atMs <= nowMs;
  return {
    writes: [...writes, ...(isDue ? [{ do: 'node-update', at: at(update), status } as const] : [])],
    calls: calls.map((call) => ({ node: node.node.name, call })),
    lookAgainAtMs: Math.min(nowMs + againMs, Math.max(overMs, nowMs), ...(isDue ? [] : [atMs])),
  };
}

const TOLD: readonly NodePhase[] = ['PreHook', 'Draining', 'Upgrading', 'Replacing', 'Verifying', 'PostHook'];
/** What a phase waits for where all is well; the phase says as much, and a write of it would be one more for every node. */
const USUAL: readonly string[] = ['drain/evicting', 'node/ready-not-held'];
/** A phase that lasts no longer is over before anybody has read of it. */
const QUIET_MS = 10_000;
