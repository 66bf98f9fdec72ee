import { PlinthError } from '@plinth/base';
import { evaluate, type World } from '../advise/condition.ts';
import { type Fact, factsAt, findSubject } from '../facts/at-date.ts';
import type { Knowledge } from '../facts/load.ts';
import type { Source, SubjectFile } from '../facts/schema.ts';
import type { FactValue } from '../facts/vocabulary.ts';
import { type ChosenMove, chooseMove } from './choose-move.ts';
import { type Estimate, estimate } from './estimate.ts';
import { fillCommand } from './fill-command.ts';
import type { Moves } from './move-schema.ts';
import type { Pool } from './pool.ts';

/** What is asked: a pool, and where it is to go. */
export interface MoveRequest {
  readonly pool: Pool;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  /** What draining one node takes; undefined: assumed. */
  readonly drainMinutes: number | undefined;
  /** The systems that workloads can be checked for. */
  readonly checkTargets: readonly string[];
}

/** A prerequisite, judged. `unknown` is for the reader to find out: it is never taken for met. */
export interface Check {
  readonly id: string;
  readonly state: 'met' | 'blocks' | 'warns' | 'unknown';
  readonly severity: 'blocks' | 'warns';
  readonly says: string;
  /** Properties of the pool that nobody told, and facts about the target that are not known: what was missing to judge it. */
  readonly open: readonly string[];
  readonly missing: readonly string[];
  readonly fix: string | undefined;
  readonly source: Source;
}

export interface PlannedStep {
  readonly title: string;
  readonly run: readonly string[];
  readonly note: string | undefined;
}

/** A move from one system to another as data; nothing is done. */
export interface MovePlan extends ChosenMove {
  readonly from: SubjectFile;
  readonly to: SubjectFile;
  readonly pool: Pool;
  readonly asOf: string;
  readonly source: Source;
  /** Whether something blocks it, or may: `blocked` and `unknown` are no go. */
  readonly verdict: 'ready' | 'unknown' | 'blocked';
  readonly checks: readonly Check[];
  readonly settings: readonly {
    readonly name: string;
    readonly value: string;
    readonly why: string;
    readonly run: string | undefined;
  }[];
  readonly steps: readonly PlannedStep[];
  readonly wayBack: { readonly run: readonly string[]; readonly says: string; readonly ends: string };
  readonly notes: readonly { readonly says: string; readonly source: Source }[];
  readonly estimate: Estimate;
  /** Placeholders that nobody told a value for; they stand in capitals in the commands. */
  readonly placeholders: readonly string[];
}

const UNCHECKED =
  'what the target lets workloads do is not known to "plinth migrate check": look at host paths, privileged pods and what is installed on nodes yourself';

/**
 * planMove plans a move: way, prerequisites, steps, way back, time.
 * @throws advisor/unknown-system, advisor/pool-invalid when there is nothing to move
 */
export function planMove(knowledge: Knowledge, moves: Moves, request: MoveRequest): MovePlan {
  const { asOf, pool } = request;
  const from = findSubject(knowledge.systems, request.from);
  const to = findSubject(
    knowledge.systems.filter(({ kind }) => kind === 'os'),
    request.to,
  );
  if (from.id === to.id)
    throw new PlinthError('advisor/pool-invalid', `Cannot plan a move: the pool runs ${to.name} already`);
  const leg = { from, to, platform: pool.platform };
  const chosen = chooseMove(knowledge, moves, leg, asOf);
  const facts = factsAt(knowledge, to, asOf, chosen.targetPlatform);
  const world: World = {
    asOf,
    answer: (property) => pool.properties[property],
    fact: (key) => facts.get(key),
  };
  const names = namesOf(knowledge, request, from, facts);
  const filled = new Set<string>();
  const fill = (command: string) => fillCommand(command, names, filled);
  const checks = checksOf(knowledge, moves, { ...chosen, leg, world, facts }).map((check) =>
    check.state === 'met' || check.fix === undefined ? check : { ...check, fix: fill(check.fix) },
  );
  const { method } = chosen;
  return {
    ...chosen,
    from,
    to,
    pool,
    asOf,
    source: sourceOf(knowledge, chosen.move.source),
    checks,
    verdict: verdictOf(checks),
    settings: method.settings.map(({ name, value, why, run }) => ({
      name,
      value,
      why,
      run: run && fill(run),
    })),
    steps: method.steps
      .filter(({ when }) => when === undefined || evaluate(when, world).state === 'true')
      .map((step) =>
        step.check && !request.checkTargets.includes(to.id)
          ? { title: step.title, run: [], note: UNCHECKED }
          : { title: step.title, run: step.run.map(fill), note: step.note },
      ),
    wayBack: {
      ...method.wayBack,
      run: method.wayBack.run.map(fill),
      ends: `${method.wayBack.ends}${endOfSystem(knowledge, request, from)}`,
    },
    notes: moves.notes
      .filter(
        (note) => applies(note.on, pool.platform) && applies(note.from, from.id) && applies(note.to, to.id),
      )
      .map(({ says, source }) => ({ says, source: sourceOf(knowledge, source) })),
    estimate: estimateOf(knowledge, request, method),
    placeholders: [...filled].sort(),
  };
}

function checksOf(
  knowledge: Knowledge,
  moves: Moves,
  {
    leg,
    world,
    method,
    targetPlatform,
    facts,
  }: ChosenMove & {
    readonly leg: { readonly to: SubjectFile };
    readonly world: World;
    readonly facts: ReadonlyMap<string, Fact>;
  },
): readonly Check[] {
  return moves.prerequisites
    .filter(
      ({ on, ways, to }) => applies(on, targetPlatform) && applies(ways, method.id) && applies(to, leg.to.id),
    )
    .map(({ id, need, severity, says, source, fix }) => {
      // What is known of the target is the better source than why it is asked.
      const used: Source[] = [];
      const noting = (key: string) => {
        const fact = facts.get(key);
        if (fact) used.push(fact.source);
        return world.fact(key);
      };
      const { state, open, missing } = evaluate(need, { ...world, fact: noting });
      return {
        id,
        severity,
        says,
        fix,
        state: state === 'true' ? 'met' : state === 'false' ? severity : 'unknown',
        open,
        missing,
        source: used[0] ?? sourceOf(knowledge, source),
      };
    });
}

function verdictOf(checks: readonly Check[]): MovePlan['verdict'] {
  if (checks.some(({ state }) => state === 'blocks')) return 'blocked';
  return checks.some(({ state, severity }) => state === 'unknown' && severity === 'blocks')
    ? 'unknown'
    : 'ready';
}

function applies(ids: readonly string[] | undefined, id: string): boolean {
  return ids === undefined || ids.includes(id);
}

/** A system that retires can be gone back to until then, and its nodes can be made anew until its images are removed. */
function endOfSystem(knowledge: Knowledge, { pool, asOf }: MoveRequest, from: SubjectFile): string {
  const facts = factsAt(knowledge, from, asOf, pool.platform);
  const retires = facts.get('retires')?.value;
  if (retires === undefined) return '';
  const removed = facts.get('images-removed')?.value;
  const tense = (day: FactValue, past: string, future: string) => (String(day) <= asOf ? past : future);
  const images =
    removed === undefined
      ? ''
      : ` (its images ${tense(removed, 'were removed', 'are removed')} on ${removed}: from then a node that is lost does not come back)`;
  return `; ${tense(retires, `there are no new pools of ${from.name} since it retired on ${retires}`, `on ${retires} at the latest, when ${from.name} retires`)}${images}`;
}

/** What stands in for the placeholders of commands. */
function namesOf(
  knowledge: Knowledge,
  request: MoveRequest,
  from: SubjectFile,
  facts: ReadonlyMap<string, Fact>,
): Readonly<Record<string, string>> {
  const { pool, asOf } = request;
  const sku = skuFor(pool, facts);
  const fromSku = factsAt(knowledge, from, asOf, pool.platform).get('os-sku')?.value;
  return {
    ...(typeof fromSku === 'string' && { 'from-os-sku': fromSku }),
    ...(pool.nodes !== undefined && { 'min-nodes': String(pool.nodes), 'max-nodes': String(pool.nodes) }),
    ...pool.names,
    to: request.to,
    ...(sku !== undefined && { 'os-sku': sku }),
    ...(pool.nodes !== undefined && { nodes: String(pool.nodes) }),
  };
}

/** AMI types of EKS carry processor, GPU and FIPS in their name; without the one that fits there is no guess. */
function skuFor({ platform, properties }: Pool, facts: ReadonlyMap<string, Fact>): string | undefined {
  const plain = facts.get('os-sku')?.value;
  const isArm = properties['architecture'] === 'arm64';
  const isNvidia = properties['gpu'] === 'nvidia';
  const isFips = properties['fips'] === 'yes';
  if (platform !== 'eks' || !(isArm || isNvidia || isFips))
    return typeof plain === 'string' ? plain : undefined;
  const variants = facts.get('os-sku-variants')?.value;
  const fitting = (Array.isArray(variants) ? variants.map(String) : []).filter(
    (name) =>
      name.includes('_ARM_64') === isArm &&
      name.includes('_NVIDIA') === isNvidia &&
      name.includes('_FIPS') === isFips,
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function estimateOf(
  knowledge: Knowledge,
  { pool, asOf, drainMinutes }: MoveRequest,
  method: ChosenMove['method'],
): Estimate {
  const platform = knowledge.platforms.find(({ id }) => id === pool.platform);
  const facts = platform ? factsAt(knowledge, platform, asOf) : new Map<string, Fact>();
  const number = (key: string) => {
    const value = facts.get(key)?.value;
    return typeof value === 'number' ? value : undefined;
  };
  const advised = facts.get('surge')?.value;
  return estimate(method, {
    nodes: pool.nodes,
    surge: pool.surge ?? (typeof advised === 'string' ? advised : undefined),
    soakMinutes: number('soak-minutes') ?? 0,
    drainTimeoutMinutes: number('drain-timeout-minutes'),
    drainMinutes,
  });
}

function sourceOf(knowledge: Knowledge, id: string): Source {
  const source = knowledge.sources[id];
  if (!source) throw new PlinthError('internal/bug', `Cannot find source "${id}", expected it to be checked`);
  return source;
}
