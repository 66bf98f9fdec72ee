import type { FleetView, Reason, RolloutStatus, StoredRollout } from '@plinth/fleet';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { type ClusterOptions, readInstalled, withCluster } from './cluster-options.ts';
import { findRollout, hasEnded } from './find-rollout.ts';
import { phaseMark, rolloutColumns, troubles, unreadableText } from './rollout-columns.ts';

/**
 * showRollouts shows all rollouts, or one with what holds it back.
 * @throws fleet/not-installed, fleet/unknown-rollout, kube/…
 */
export async function showRollouts(
  name: string | undefined,
  options: ClusterOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { view, unreadable } = await withCluster(options, context, (connection) =>
    readInstalled(connection, context),
  );
  const problem = unreadable.length > 0 ? [plainText(unreadableText(unreadable))] : [];
  if (name !== undefined) {
    const rollout = findRollout(view, name);
    return {
      data: dataOf(rollout),
      names: [rollout.name],
      view: [...oneRollout(rollout, view, context.style), ...problem],
    };
  }
  const all = [...view.rollouts.values()].sort(
    (a, b) => Number(hasEnded(a)) - Number(hasEnded(b)) || b.createdAtMs - a.createdAtMs,
  );
  return {
    data: all.map(dataOf),
    names: all.map((each) => each.name),
    view: [
      table(
        rolloutColumns(view.nowMs),
        all,
        'There is no rollout. One begins when a policy names a release.',
      ),
      ...problem,
    ],
  };
}

function dataOf({ name, spec, status }: StoredRollout) {
  return { name, spec, status: status ?? null };
}

function oneRollout(rollout: StoredRollout, view: FleetView, style: Style): readonly Block[] {
  const { name, spec, status } = rollout;
  const head: [string, string][] = [
    ['rollout', name],
    ['release', `${spec.release} for policy ${spec.policy}, lane ${spec.lane}`],
  ];
  if (status === undefined) return [facts([...head, ['phase', 'not looked at by the operator yet']])];
  const rows: [string, string][] = [
    ...head,
    ['phase', `${phaseMark(status.phase, style)(status.phase)}, ${agoText(status.since, view.nowMs)}`],
    ...(status.halt ? [['halted by', reasonText(status.halt)] as [string, string]] : []),
    ...(spec.abort === 'None' ? [] : [['abort', spec.abort] as [string, string]]),
    ['wave', waveText(rollout, view)],
    ['nodes', countsText(status)],
    ['at once', boundText(status)],
    ['left', leftText(status, view.nowMs, style)],
  ];
  return [
    facts(rows),
    ...boundAdvice(status),
    ...conditionBlocks(status, style),
    ...listed(
      'Failed, newest last:',
      status.failures.slice(-20).map(({ node, at, reason }) => [node, reason, spanText(at, view.nowMs)]),
    ),
    ...listed(
      'Held back:',
      status.blockers.map(({ node, since, reason }) => [node, reason, spanText(since, view.nowMs)]),
    ),
    ...nextOf(rollout),
  ];
}

/** Nodes with a reason each, never cut: the name of a budget at the end of a line is what a person looks for. */
function listed(
  heading: string,
  rows: readonly (readonly [node: string, reason: Reason, age: string])[],
): readonly Block[] {
  if (rows.length === 0) return [];
  const lines = rows.map(([node, reason, age]) => `  ${node}, ${age}: ${reasonText(reason)}`);
  return [plainText([heading, ...lines].join('\n'))];
}

function nextOf({ name, spec, status }: StoredRollout): readonly Block[] {
  if (status === undefined) return [];
  const commands: [string, string][] = [];
  if (status.phase === 'Halted') {
    commands.push([`plinth rollout promote ${name}`, 'go on in spite of it']);
    commands.push([`plinth rollout abort ${name} --rollback`, 'bring updated nodes back']);
  } else if (spec.paused) commands.push([`plinth rollout resume ${name}`, 'go on']);
  else if (['Progressing', 'Soaking', 'Staging', 'Pending'].includes(status.phase))
    commands.push([`plinth rollout pause ${name}`, 'begin with no further node']);
  return commands.length > 0 ? [nextCommands(commands)] : [];
}

function waveText({ spec, status }: StoredRollout, view: FleetView): string {
  const wave = status?.wave ?? 0;
  const waves = view.policies.get(spec.policy)?.spec.waves ?? [];
  const now = waves[wave];
  if (now === undefined) return `${wave + 1}`;
  const what = now.perClass === undefined ? `up to ${now.upTo}` : `${now.perClass} of each hardware class`;
  const soak = status?.waveFullAt === undefined ? '' : `; full, soaks ${now.soak} since ${status.waveFullAt}`;
  return `${wave + 1} of ${waves.length}: ${what}${soak}`;
}

function countsText({ counts }: RolloutStatus): string {
  const { Total = 0, Done = 0, ...rest } = counts;
  const others = Object.entries(rest).filter(([key, count]) => count > 0 && key !== 'Remaining');
  return [
    `${Done} of ${Total} done`,
    ...others.map(([key, count]) => `${count} ${key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}`),
  ].join(', ');
}

function boundText({ concurrency, bound }: RolloutStatus): string {
  if (bound === undefined) return `${concurrency} nodes`;
  return `${concurrency} nodes: bound by ${bound.name} (${bound.value}); the deadline needs ${bound.need}`;
}

function boundAdvice({ bound }: RolloutStatus): readonly Block[] {
  return bound === undefined || bound.advice === '' ? [] : [plainText(printable(bound.advice))];
}

function leftText({ etaSeconds, deadline }: RolloutStatus, nowMs: number, style: Style): string {
  const until = Date.parse(deadline) - nowMs;
  const end = until < 0 ? style.bad('the deadline has passed') : `deadline in ${formatDuration(until)}`;
  return etaSeconds === undefined
    ? `not known yet; ${end}`
    : `about ${formatDuration(etaSeconds * 1000)}; ${end}`;
}

function conditionBlocks({ conditions }: RolloutStatus, style: Style): readonly Block[] {
  const bad = troubles(conditions);
  if (bad.length === 0) return [];
  return [facts(bad.map(({ type, message }) => [style.doubtful(type), printable(message)]))];
}

function reasonText({ code, text }: Reason): string {
  return printable(`${text} (${code})`);
}

function agoText(moment: string, nowMs: number): string {
  return `for ${spanText(moment, nowMs)}`;
}

function spanText(moment: string, nowMs: number): string {
  const ms = nowMs - Date.parse(moment);
  return Number.isFinite(ms) ? formatDuration(Math.max(0, ms)) : '';
}
