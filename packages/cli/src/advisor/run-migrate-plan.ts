import {
  checkTargets,
  choosePool,
  findSubject,
  type Knowledge,
  loadKnowledge,
  loadMoves,
  type MovePlan,
  type Moves,
  type Pool,
  parseAnswer,
  planMove,
  planReport,
  readPools,
} from '@plinth/advisor';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { nextCommands } from '../output/blocks.ts';
import { dayAsked } from './as-of.ts';
import { readInput } from './read-input.ts';
import { readPairs } from './read-pairs.ts';
import { reportBlocks } from './report-blocks.ts';
import { documentEndings, documentForms, reportEnding, saveReport } from './save-report.ts';

export interface MigratePlanOptions {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly describe: string | undefined;
  readonly pool: string | undefined;
  readonly platform: string | undefined;
  readonly nodes: number | undefined;
  readonly facts: string | undefined;
  readonly drain: number | undefined;
  readonly asOf: string | undefined;
  readonly report: string | undefined;
  /** End with 3 unless nothing blocks the move. */
  readonly exitCode: boolean;
}

/** runMigratePlan plans a move from a cloud's description of a pool, or from flags alone. It changes nothing. */
export async function runMigratePlan(
  options: MigratePlanOptions,
  context: Pick<CommandContext, 'style'>,
): Promise<CommandResult> {
  if (options.to === undefined) throw usageError('--to is missing, expected the system to move to');
  if (options.report !== undefined) reportEnding(options.report, documentEndings);
  const knowledge = await loadKnowledge();
  const moves = await loadMoves(knowledge);
  const described = await describedPool(options);
  const pool = withFlags(described, options, knowledge, moves);
  const from = options.from ?? described?.system;
  if (from === undefined)
    throw usageError(
      described ? `the image of pool ${described.name} is none that is known` : '--from is missing',
      'Say what the pool runs with --from.',
    );
  const plan = planMove(knowledge, moves, {
    pool,
    from,
    to: options.to,
    asOf: dayAsked(options.asOf),
    drainMinutes: options.drain,
    checkTargets: await checkTargets(),
  });
  const report = planReport(plan);
  const data = planData(plan);
  if (options.report !== undefined) await saveReport(options.report, documentForms(report, data));
  return {
    data,
    view: [...reportBlocks(report, context.style), nextCommands(nextOf(plan))],
    ...(options.exitCode && plan.verdict !== 'ready' && { exitCode: exitCodes.findings }),
  };
}

async function describedPool({ describe, pool }: MigratePlanOptions): Promise<Pool | undefined> {
  if (describe === undefined) return undefined;
  return choosePool(
    readPools(await readInput(describe), describe === '-' ? 'standard input' : describe),
    pool,
  );
}

/** What flags say holds over what the description says. */
function withFlags(
  described: Pool | undefined,
  { platform, pool, nodes, facts }: MigratePlanOptions,
  knowledge: Knowledge,
  { properties }: Moves,
): Pool {
  const where = platform ?? described?.platform;
  if (where === undefined)
    throw usageError('--platform is missing, expected where the pool runs, or --describe FILE');
  findSubject(knowledge.platforms, where);
  const given = Object.entries(readPairs('--facts', facts)).map(([id, value]) => {
    const property = properties.find((one) => one.id === id);
    if (!property)
      throw usageError(
        `value of --facts has "${id}", expected one of ${properties.map((one) => one.id).join(', ')}`,
      );
    try {
      return [id, String(parseAnswer(value, property))] as const;
    } catch (reason) {
      if (!(reason instanceof RangeError)) throw reason;
      throw usageError(`value of --facts is ${reason.message}`);
    }
  });
  const name = pool ?? described?.name;
  return {
    platform: where,
    system: described?.system,
    name: name ?? 'unnamed',
    nodes: nodes ?? described?.nodes,
    surge: described?.surge,
    properties: { ...described?.properties, ...Object.fromEntries(given) },
    names: { ...(name !== undefined && { pool: name }), ...described?.names },
  };
}

function planData(plan: MovePlan) {
  return {
    from: plan.from.id,
    to: plan.to.id,
    platform: plan.pool.platform,
    targetPlatform: plan.targetPlatform,
    asOf: plan.asOf,
    pool: plan.pool,
    inPlace: plan.move.inPlace,
    reason: plan.move.reason,
    source: plan.source,
    way: plan.method.id,
    effort: plan.method.effort,
    verdict: plan.verdict,
    checks: plan.checks,
    settings: plan.settings,
    steps: plan.steps,
    wayBack: plan.wayBack,
    estimate: plan.estimate,
    notes: plan.notes,
    placeholders: plan.placeholders,
  };
}

function nextOf({ checks, verdict }: MovePlan): readonly (readonly [string, string])[] {
  const asked = [...new Set(checks.filter(({ state }) => state === 'unknown').flatMap(({ open }) => open))];
  if (verdict === 'blocked')
    return checks.some(({ state, fix }) => state === 'blocks' && fix === undefined)
      ? [['plinth advise', 'what fits instead']]
      : [['plinth migrate plan …', 'again, when what blocks is mended']];
  if (asked.length === 0) return [['plinth migrate check --live', 'what breaks there']];
  return [
    [
      `plinth migrate plan … --facts ${asked[0]}=…`,
      asked.length === 1 ? 'is not told yet' : `one of ${asked.length} that are not told yet`,
    ],
  ];
}
