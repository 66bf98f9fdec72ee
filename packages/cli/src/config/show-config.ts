import {
  ConfigOutcome,
  type ConfigRevision,
  type GetConfigStatusResponse,
  GetConfigStatusResponseSchema,
  ListConfigHistoryResponseSchema,
  messageData,
  PlanConfigResponseSchema,
} from '@plinth/api';
import { exitCodes } from '@plinth/base';
import { type AskOptions, askNode } from '../client/ask-node.ts';
import { durationMs } from '../client/duration.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { modeWord } from './config-mode.ts';
import { readConfigFile } from './read-config.ts';
import { planOf, planText } from './show-plan.ts';

/** showPlan shows what a config would change on a node. @throws config/…, api/… */
export async function showPlan(
  path: string,
  options: AskOptions & { readonly exitCode: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const config = await readConfigFile(path);
  const answer = await askNode(options, context, (node) => node.config.plan({ config }));
  const plan = planOf(answer);
  const differs = plan.changes.length > 0;
  const mode = modeWord(plan.defaultMode);
  return {
    data: messageData(PlanConfigResponseSchema, answer),
    view: [
      plainText(planText(plan, context.style)),
      ...(differs ? [plainText(modeText(mode)), nextCommands([[`plinth apply ${path}`, 'do it']])] : []),
    ],
    exitCode: options.exitCode && differs ? exitCodes.findings : exitCodes.ok,
  };
}

/** showConfigDiff compares two revisions, or one with the config in effect. @throws config/unknown-revision, api/… */
export async function showConfigDiff(
  from: number,
  to: number,
  options: AskOptions & { readonly exitCode: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) =>
    node.config.plan({ fromRevision: from, toRevision: to }),
  );
  const plan = planOf(answer);
  return {
    data: messageData(PlanConfigResponseSchema, answer),
    view: [plainText(planText(plan, context.style))],
    exitCode: options.exitCode && plan.changes.length > 0 ? exitCodes.findings : exitCodes.ok,
  };
}

/** showConfig gives the text of a revision as it was applied, fit to be written to a file and applied again. */
export async function showConfig(
  revision: number,
  options: AskOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const {
    revision: found,
    config,
    redacted,
  } = await askNode(options, context, (node) => node.config.get(revision));
  const text = Buffer.from(config).toString('utf8');
  if (redacted)
    context.say('The secrets are taken out: only admins get them. This text is not to be applied.');
  return {
    data: { revision: found?.revision ?? 0, hash: found?.hash ?? '', redacted, config: text },
    // Lines stay lines; what could command a terminal does not reach it.
    view: [plainText(text.split('\n').map(printable).join('\n'))],
  };
}

/** showConfigHistory lists what was applied, by whom and why, and where the node stands. */
export async function showConfigHistory(
  options: AskOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const [status, history] = await askNode(options, context, (node) =>
    Promise.all([node.config.status(), node.config.history()]),
  );
  return {
    data: {
      status: messageData(GetConfigStatusResponseSchema, status),
      history: messageData(ListConfigHistoryResponseSchema, history),
    },
    names: history.revisions.map((each) => String(each.revision)),
    view: [
      table(
        [
          { header: 'REVISION', value: (each) => `${each.revision}${each.current ? ' *' : ''}` },
          { header: 'OUTCOME', value: outcomeWord, mark: outcomeMark },
          { header: 'APPLIED', value: appliedAt },
          { header: 'BY', value: (each) => each.author },
          { header: 'MODE', value: (each) => modeWord(each.mode), wide: true },
          { header: 'HASH', value: (each) => each.hash.slice(0, 12), wide: true },
          { header: 'REASON', value: (each) => each.reason },
          { header: 'NOTE', value: (each) => each.note },
        ],
        history.revisions,
      ),
      facts(statusFacts(status, context.style)),
      ...nextSteps(status),
    ],
  };
}

function statusFacts(status: GetConfigStatusResponse, style: Style): [string, string][] {
  const { current, trial, drift } = status;
  const rows: [string, string][] = [
    ['in effect', `revision ${current?.revision ?? 'unknown'}, from ${status.source}`],
  ];
  if (!status.settled) rows.push(['under way', style.doubtful(printable(status.problem) || 'yes')]);
  if (trial) rows.push(['open', style.doubtful(trialText(trial))]);
  if (status.stagedRevision !== 0)
    rows.push(['staged', `revision ${status.stagedRevision}, for the next boot`]);
  for (const why of status.rebootNeeded) rows.push(['reboot', style.doubtful(printable(why))]);
  for (const problem of status.provisioningProblems)
    rows.push(['provisioning', style.bad(printable(problem))]);
  for (const { path, difference } of drift)
    rows.push(['drift', style.bad(`${printable(path)} ${printable(difference)}`)]);
  if (drift.length === 0 && status.settled) rows.push(['drift', style.good('none')]);
  return rows;
}

function trialText(trial: NonNullable<GetConfigStatusResponse['trial']>): string {
  const back = `back to revision ${trial.previousRevision} in ${formatDuration(durationMs(trial.remaining))}`;
  if (trial.needsConfirmation) return `${back} unless confirmed`;
  const waits = trial.obstacles.length === 0 ? '' : `; waits for ${trial.obstacles.join(', ')}`;
  return `${back} unless healthy${waits}`;
}

function nextSteps({ trial, stagedRevision }: GetConfigStatusResponse): Block[] {
  if (trial?.needsConfirmation)
    return [
      nextCommands([
        ['plinth config confirm', 'keep it'],
        ['plinth config rollback', 'go back now'],
      ]),
    ];
  return stagedRevision === 0 ? [] : [nextCommands([['plinth reboot --wait', 'let it take effect']])];
}

function modeText(mode: string): string {
  if (mode === 'try') return 'It would be on trial: the node goes back unless it is confirmed in time.';
  if (mode === 'staged') return 'It takes effect at the next boot.';
  return 'It takes effect at once; the node goes back unless it is healthy with it.';
}

const OUTCOMES: Readonly<Partial<Record<ConfigOutcome, string>>> = {
  [ConfigOutcome.STAGED]: 'staged',
  [ConfigOutcome.TRIAL]: 'trial',
  [ConfigOutcome.SETTLING]: 'settling',
  [ConfigOutcome.GOOD]: 'good',
  [ConfigOutcome.REVERTED]: 'reverted',
  [ConfigOutcome.DROPPED]: 'dropped',
};

function outcomeWord({ outcome }: ConfigRevision): string {
  return OUTCOMES[outcome] ?? 'unknown';
}

function outcomeMark({ outcome }: ConfigRevision, style: Style): (text: string) => string {
  if (outcome === ConfigOutcome.GOOD) return style.good;
  if (outcome === ConfigOutcome.REVERTED) return style.bad;
  return outcome === ConfigOutcome.DROPPED ? style.faint : style.doubtful;
}

function appliedAt({ appliedAt: at }: ConfigRevision): string {
  return at ? new Date(Number(at.seconds) * 1000).toISOString().slice(0, 16).replace('T', ' ') : '';
}
