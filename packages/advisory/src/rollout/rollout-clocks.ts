import type { Verdict } from '../model/index.ts';
import type { Observation } from './observation.ts';

/** How far the fix of one identifier has come. Instants are ISO 8601, each that of an observation or of a paper. */
export interface RolloutClock {
  readonly id: string;
  /** First signed index seen that offers the fix. */
  readonly fixAvailableAt?: string;
  /** When the first image was made in which it is fixed. */
  readonly publishedAt?: string;
  /** Nodes seen to run the fix, or never to have had the flaw. */
  readonly done: number;
  /** Nodes seen to run the flaw, or of which the verdict is unknown. */
  readonly notDone: number;
  /** Nodes that did not answer last, or whose release has no papers. */
  readonly untold: number;
  /** First observation since which that share of all nodes runs the fix; absent: not reached, or lost again. */
  readonly at50?: string;
  readonly at95?: string;
  readonly at100?: string;
  /** Whether code from before the fix is still mapped by a process, as far as nodes tell. */
  readonly oldCode:
    | { readonly state: 'gone'; readonly at: string }
    | { readonly state: 'mapped' | 'unknown'; readonly nodes: number };
}

type Level = 'at50' | 'at95' | 'at100';
const SHARES: Readonly<Record<Level, number>> = { at50: 0.5, at95: 0.95, at100: 1 };
const LEVELS: readonly Level[] = ['at50', 'at95', 'at100'];

/** What a node said; `silent` when it did not answer. */
type Seen = Omit<Observation['nodes'][number], 'names'> | 'silent';
type Releases = Map<string, Observation['releases'][number]>;

/**
 * rolloutClocks computes, from observations alone, when which share of the nodes ran the fix of each identifier that ever
 * was open or unknown on one. A share is reached when so many nodes said so; a node that is silent does not count for it,
 * and one that was reached is lost only when nodes say that they run the flaw. Pure; the order of observations is no
 * matter, so anybody who has the signed lines gets the same.
 */
export function rolloutClocks(observations: readonly Observation[]): RolloutClock[] {
  const sorted = observations.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const ids = new Set(
    sorted.flatMap(({ releases }) =>
      releases.flatMap(({ verdicts }) =>
        Object.entries(verdicts).flatMap(([id, verdict]) =>
          verdict === 'open' || verdict === 'unknown' ? [id] : [],
        ),
      ),
    ),
  );
  const steps = stepsOf(sorted);
  return [...ids].sort().map((id) => clockOf(id, steps));
}

interface Step {
  readonly at: string;
  readonly groups: readonly Group[];
  readonly releases: Releases;
}

/** So many nodes that said the same. */
interface Group {
  readonly said: Seen;
  readonly size: number;
}

/** Each identifier is counted at each step: by groups that is quick also for many nodes. */
function groupsOf(nodes: ReadonlyMap<string, Seen>): Group[] {
  const groups = Map.groupBy(nodes.values(), (said) =>
    said === 'silent' ? said : [said.oldCode, said.runs ?? '', ...(said.layers ?? [])].join(' '),
  );
  return [...groups.values()].flatMap((group) =>
    group[0] === undefined ? [] : [{ said: group[0], size: group.length }],
  );
}

/** What was known after each observation. */
function stepsOf(sorted: readonly Observation[]): Step[] {
  let nodes = new Map<string, Seen>();
  const releases: Releases = new Map();
  return sorted.map(({ at, scope, nodes: told, silent, releases: judged }) => {
    const next = new Map(scope === 'all' ? [] : nodes);
    for (const { names, ...said } of told) for (const name of names) next.set(name, said);
    for (const node of silent) next.set(node, 'silent');
    nodes = next;
    for (const release of judged) releases.set(release.key, release);
    return { at, groups: groupsOf(nodes), releases: new Map(releases) };
  });
}

function clockOf(id: string, steps: readonly Step[]): RolloutClock {
  const reached: Partial<Record<Level, string>> = {};
  let gone: string | undefined;
  let counts = { done: 0, notDone: 0, untold: 0, mapped: 0, unclear: 0 };
  for (const { at, groups, releases } of steps) {
    counts = countNodes(id, groups, releases);
    const total = counts.done + counts.notDone + counts.untold;
    for (const level of LEVELS) {
      const needed = SHARES[level] * total;
      if (total > 0 && counts.done >= needed) reached[level] ??= at;
      else if (total - counts.notDone < needed) delete reached[level];
    }
    const isGone = total > 0 && counts.done === total && counts.mapped + counts.unclear === 0;
    if (isGone) gone ??= at;
    else gone = undefined;
  }
  const { done, notDone, untold, mapped, unclear } = counts;
  const known = steps.at(-1)?.releases ?? new Map();
  const [fixAvailableAt, publishedAt] = [available(id, known), published(id, known)];
  return {
    id,
    ...(fixAvailableAt === undefined ? {} : { fixAvailableAt }),
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...{ done, notDone, untold },
    ...reached,
    oldCode:
      gone !== undefined
        ? { state: 'gone', at: gone }
        : mapped + notDone > 0
          ? { state: 'mapped', nodes: mapped + notDone }
          : { state: 'unknown', nodes: unclear + untold },
  };
}

function countNodes(id: string, groups: readonly Group[], releases: Releases) {
  const counts = { done: 0, notDone: 0, untold: 0, mapped: 0, unclear: 0 };
  for (const { said, size } of groups) {
    const verdict = said === 'silent' ? undefined : worstVerdict(id, said, releases);
    if (said === 'silent' || verdict === undefined) counts.untold += size;
    else if (verdict === 'open' || verdict === 'unknown') counts.notDone += size;
    else {
      counts.done += size;
      // What was never flawed has no old code.
      if (verdict === 'fixed' && said.oldCode === 'mapped') counts.mapped += size;
      if (verdict === 'fixed' && said.oldCode === 'unknown') counts.unclear += size;
    }
  }
  return counts;
}

/** A node has the flaw when its image or any of its layers has it; undefined when its image was not judged. */
function worstVerdict(
  id: string,
  { runs, layers = [] }: Exclude<Seen, 'silent'>,
  releases: Releases,
): Verdict | undefined {
  if (runs === undefined || !releases.has(runs)) return undefined;
  const said = [runs, ...layers].flatMap((key) => releases.get(key)?.verdicts[id] ?? []);
  return WORST_FIRST.find((verdict) => said.includes(verdict));
}

const WORST_FIRST: readonly Verdict[] = ['open', 'unknown', 'fixed', 'not-affected'];

function available(id: string, releases: Releases): string | undefined {
  return earliest([...releases.values()].flatMap(({ fixAvailableAt }) => fixAvailableAt[id] ?? []));
}

function published(id: string, releases: Releases): string | undefined {
  return earliest(
    [...releases.values()].flatMap(({ verdicts, createdAt }) =>
      verdicts[id] === 'fixed' && createdAt !== undefined ? [createdAt] : [],
    ),
  );
}

function earliest(instants: readonly string[]): string | undefined {
  return instants.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
}
