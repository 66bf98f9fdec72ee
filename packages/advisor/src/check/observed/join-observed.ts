import type { Diagnostic } from '@plinth/base';
import { compareFindings } from '../report/collect-findings.ts';
import { type CheckResult, type Finding, type Owner, ownerText, rulesOf } from '../report/finding.ts';
import type { Rule } from '../rules/knowledge.ts';
import { foresaw, leavesTrace } from './foreseen.ts';
import { OBSERVED_LIMITS } from './limits.ts';
import { judgeUnforeseen, type Unforeseen } from './observed-rules.ts';
import type { AttributedRefusal, ContainerPlace } from './refusal.ts';
import { addTo, emptyTally, isoTime, seenText, sightings, spanText, type Tally } from './tally.ts';
import type { WorkloadMap } from './workload-map.ts';

/** What was read of one node. Times in milliseconds since 1970. */
export interface NodeObservation {
  readonly node: string;
  readonly refusals: readonly AttributedRefusal[];
  /** Containers that the node has, those that ended included. */
  readonly places: readonly ContainerPlace[];
  /** Those of them whose logs could not be read. */
  readonly unreadPlaces: readonly ContainerPlace[];
  /** Oldest message of the kernel's log. */
  readonly fromMs: number;
  /** When it was read, by the node's clock. */
  readonly untilMs: number;
  /** How many logs of containers were read. */
  readonly containerLogs: number;
  /** Messages that the kernel says it left out. */
  readonly lost: number;
  readonly notes: readonly string[];
  /** What could not be read, so that nothing is known of it. */
  readonly problems: readonly Diagnostic[];
}

/** How a workload was watched. */
interface Running {
  readonly spanMs: number;
  readonly isUnread: boolean;
}

interface Group extends Tally {
  readonly owner: Owner;
  readonly container: string;
  readonly what: Unforeseen;
  readonly pods: Set<string>;
  /** Different things of this subject, as far as they are counted. */
  readonly messages: Set<string>;
}

/**
 * joinObserved holds what nodes refused against what the rules found: a finding that happened says how often and when,
 * what no rule foresaw becomes a finding of its own, and a finding of which nothing was seen says in how much log; pure.
 * @param rules those of observed-rules.yaml
 */
export function joinObserved(
  result: CheckResult,
  observations: readonly NodeObservation[],
  workloads: WorkloadMap,
  rules: ReadonlyMap<string, Rule>,
): CheckResult {
  const byOwner = Map.groupBy(result.findings, ({ owner }) => ownerText(owner));
  const seen = new Map<Finding, Tally>();
  const groups = createGroups();
  for (const { node, refusals } of observations)
    for (const refusal of refusals) {
      const { place } = refusal;
      const owner = place ? (workloads.ownerOf(place, node) ?? podOwner(place)) : nodeOwner(node);
      const hostPath = hostPathOf(refusal, owner, workloads);
      const foreseen = (byOwner.get(ownerText(owner)) ?? []).filter((one) =>
        foresaw(one, { refusal, hostPath }),
      );
      for (const finding of foreseen)
        seen.set(finding, addTo(seen.get(finding) ?? emptyTally(), refusal, node));
      if (foreseen.length === 0) groups.add(refusal, node, owner, judgeUnforeseen(refusal, hostPath));
    }
  const running = whereRunning(observations, workloads);
  const unforeseen = groups.all();
  const findings = [
    ...result.findings.map((finding) =>
      withSightings(finding, seen.get(finding), running, observations.length),
    ),
    ...unforeseen.map((group) => toFinding(group, rules)),
  ].sort(compareFindings);
  return {
    ...result,
    findings,
    rules: { ...result.rules, ...rulesOf(findings, rules) },
    problems: [...result.problems, ...observations.flatMap(({ problems }) => problems)],
    observed: observations.map(({ node, fromMs, untilMs, containerLogs, refusals, lost }) => ({
      ...{
        node,
        from: isoTime(fromMs),
        until: isoTime(untilMs),
        containerLogs,
        refusals: refusals.length,
        lost,
      },
    })),
    notes: [...result.notes, ...observations.flatMap(notesOf)],
  };
}

/** Which workloads run on the nodes that answered, and how long those have been watched. */
function whereRunning(
  observations: readonly NodeObservation[],
  workloads: WorkloadMap,
): ReadonlyMap<string, Running> {
  const running = new Map<string, Running>();
  for (const { node, places, unreadPlaces, fromMs, untilMs } of observations) {
    const textOf = (place: ContainerPlace) => ownerText(workloads.ownerOf(place, node) ?? podOwner(place));
    const unread = new Set(unreadPlaces.map(textOf));
    for (const place of places) {
      const owner = textOf(place);
      const known = running.get(owner) ?? { spanMs: 0, isUnread: false };
      running.set(owner, {
        spanMs: Math.max(known.spanMs, untilMs - fromMs),
        isUnread: known.isUnread || unread.has(owner),
      });
    }
  }
  return running;
}

function othersText({ messages }: Group): string {
  const more = messages.size - 1;
  if (more <= 0) return '';
  const number = messages.size < OBSERVED_LIMITS.messages ? String(more) : `at least ${more}`;
  return `, and ${number} other ${more === 1 ? 'thing' : 'things'}`;
}

/** Joins refusals of the same thing. A program that tries a new name each time makes some findings, not thousands. */
function createGroups() {
  const groups = new Map<string, Group>();
  const subjects = new Map<string, number>();
  return {
    all: () => [...groups.values()],
    add(refusal: AttributedRefusal, node: string, owner: Owner, said: Unforeseen) {
      const { place } = refusal;
      const container = place?.container ?? '';
      const kind = [said.rule, said.severity, ownerText(owner), container].join('\n');
      const keyOf = (subject: string) => `${kind}\n${subject}`;
      const count = subjects.get(kind) ?? 0;
      const isNew = !groups.has(keyOf(said.subject));
      const what = isNew && count >= OBSERVED_LIMITS.subjects ? { ...said, subject: 'others' } : said;
      const key = keyOf(what.subject);
      const known = groups.get(key);
      if (!known) subjects.set(kind, count + 1);
      const group = known ?? {
        ...emptyTally(),
        owner,
        container,
        what,
        pods: new Set<string>(),
        messages: new Set<string>(),
      };
      groups.set(key, group);
      addTo(group, refusal, node);
      if (group.messages.size < OBSERVED_LIMITS.messages) group.messages.add(said.message);
      if (place) group.pods.add(`${node}/${place.namespace}/${place.pod}`);
    },
  };
}

/** A path of the host as the host names it: through the mounts of a container, or as a process of the host sees it. */
function hostPathOf(
  { path, place, unit }: AttributedRefusal,
  owner: Owner,
  workloads: WorkloadMap,
): string | undefined {
  if (path === '') return undefined;
  if (place) return place.container === '' ? undefined : workloads.hostPathOf(owner, place.container, path);
  return unit === '' ? undefined : path;
}

function withSightings(
  finding: Finding,
  tally: Tally | undefined,
  running: ReadonlyMap<string, Running>,
  asked: number,
): Finding {
  if (tally)
    return { ...finding, message: `${finding.message}; ${seenText(tally)}`, observed: sightings(tally) };
  if (asked === 0 || !leavesTrace(finding.rule)) return finding;
  const where = running.get(ownerText(finding.owner));
  return {
    ...finding,
    message: `${finding.message}; ${notSeenText(where)}`,
    observed: {
      ...{ ran: where !== undefined, count: 0, enforced: 0, nodes: [] },
      ...(where?.isUnread && { unread: true }),
    },
  };
}

function notSeenText(where: Running | undefined): string {
  if (where === undefined) return 'it runs on no node that was asked';
  if (where.isUnread) return 'whether it happened is unknown: a log of it could not be read';
  return `not seen in the last ${spanText(where.spanMs)} of log`;
}

function toFinding(group: Group, rules: ReadonlyMap<string, Rule>): Finding {
  const { owner, container, what, pods } = group;
  return {
    ...{ rule: what.rule, severity: what.severity, subject: what.subject, owner, container },
    message: `${what.message}${othersText(group)}; ${seenText(group)}`,
    object: { apiVersion: '', kind: owner.kind, namespace: owner.namespace, name: owner.name },
    ...{ path: '$', fix: rules.get(what.rule)?.fix ?? '', fact: '' },
    ...{ pods: pods.size, nodes: [...group.nodes].sort(), observed: sightings(group) },
  };
}

function notesOf(one: NodeObservation): string[] {
  const { node, fromMs, untilMs, containerLogs, refusals, lost, notes } = one;
  const logs = `${spanText(untilMs - fromMs)} of kernel log and the logs of ${containerLogs} container${containerLogs === 1 ? '' : 's'}`;
  const homeless = refusals.filter(({ place, unit }) => place === undefined && unit === '').length;
  return [
    `node ${node}: ${refusals.length} ${refusals.length === 1 ? 'refusal' : 'refusals'} in ${logs}`,
    ...(homeless > 0
      ? [`node ${node}: of ${homeless} refusals it is unknown whose they are: no such process lives`]
      : []),
    ...(lost > 0 ? [`node ${node}: its kernel left out ${lost} messages, so there may have been more`] : []),
    ...notes.map((note) => `node ${node}: ${note}`),
  ];
}

function podOwner({ namespace, pod }: ContainerPlace): Owner {
  return { kind: 'Pod', namespace, name: pod };
}

function nodeOwner(name: string): Owner {
  return { kind: 'Node', namespace: '', name };
}
