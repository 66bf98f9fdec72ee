import {
  ApplyConfigResponseSchema,
  type ConfigMode,
  type ConfigPlan,
  type ConfigTrial,
  messageData,
  type NodeClient,
  RollbackConfigResponseSchema,
} from '@plinth/api';
import { askNode } from '../client/ask-node.ts';
import { connectContext } from '../client/connect-context.ts';
import { durationMs } from '../client/duration.ts';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import type { ValuesOf } from '../framework/options.ts';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';
import { modeOf, modeWord } from './config-mode.ts';
import type { changeOptions } from './config-options.ts';
import { followConfig } from './follow-config.ts';
import { readConfigFile } from './read-config.ts';
import { planOf, planText } from './show-plan.ts';

type ChangeOptions = ValuesOf<typeof changeOptions>;

/** What a node began. */
interface Begun {
  readonly revision: number;
  readonly mode: ConfigMode;
  readonly trial?: ConfigTrial | undefined;
}

/** A look at a changed node must not wait long: it may be gone, and there is only the time of the trial. */
const LOOK_TIMEOUT_MS = 5_000;
const HEALTH_WAIT_MS = 180_000;

/**
 * applyConfig shows the plan, applies it and stays until the config has proven itself. The first connection stays open
 * meanwhile, so that the node can tell whether its client is still there.
 * @throws config/…, api/…, cli/…
 */
export async function applyConfig(
  path: string,
  options: ChangeOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const config = await readConfigFile(path);
  const plan = planOf(await askNode(options, context, (node) => node.config.plan({ config })));
  context.say(`${planText(plan, context.style)}\n`);
  if (plan.changes.length > 0) await agree(howAsked(plan, options), options.yes, context);
  return askNode(options, context, async (node) => {
    const answer = await node.config.apply({ config, baseHash: plan.baseHash, ...request(options) });
    const data = messageData(ApplyConfigResponseSchema, answer);
    if (answer.unchanged)
      return { data, view: [plainText(`Nothing differs: revision ${answer.revision} is in effect.`)] };
    return finish(answer, data, options, context);
  });
}

/** rollbackConfig goes back: ends what is open, or brings an earlier revision back. @throws config/…, api/…, cli/… */
export async function rollbackConfig(
  revision: number,
  options: ChangeOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const question = await rollbackQuestion(revision, options, context);
  if (question !== undefined) await agree(question, options.yes, context);
  return askNode(options, context, async (node: NodeClient) => {
    const answer = await node.config.rollback({ revision, ...request(options) });
    const data = messageData(RollbackConfigResponseSchema, answer);
    const { undoneRevision, revision: now } = answer;
    if (undoneRevision !== 0)
      return {
        data,
        view: [plainText(`Revision ${undoneRevision} is taken back; revision ${now} is in effect.`)],
      };
    if (modeWord(answer.mode) === 'provisioned')
      return { data, view: [plainText(`Nothing differs: revision ${now} is in effect.`)] };
    return finish(answer, data, options, context);
  });
}

function request({ mode, confirmWithin, reason }: ChangeOptions) {
  return {
    mode: modeOf(mode),
    confirmWithin: { seconds: BigInt(Math.round(confirmWithin / 1000)) },
    reason: reason ?? '',
  };
}

function howAsked(plan: ConfigPlan, options: ChangeOptions): string {
  const mode = options.mode ?? modeWord(plan.defaultMode);
  const how = { auto: 'at once', staged: 'at the next boot', try: 'on trial' }[mode] ?? mode;
  return `Apply it, ${how}?`;
}

/** Shows what going back means; undefined where it would change nothing. */
async function rollbackQuestion(
  revision: number,
  options: ChangeOptions,
  context: CommandContext,
): Promise<string | undefined> {
  if (revision === 0) {
    const { current, trial, stagedRevision } = await askNode(options, context, (node) =>
      node.config.status(),
    );
    const now = current?.revision ?? 0;
    if (trial) return `Take revision ${now} back, which is on trial?`;
    if (stagedRevision !== 0) return `Drop revision ${stagedRevision}, which is staged?`;
    return `Go back to the config before revision ${now}?`;
  }
  const plan = planOf(await askNode(options, context, (node) => node.config.plan({ toRevision: revision })));
  context.say(`${planText(plan, context.style)}\n`);
  return plan.changes.length > 0 ? howAsked(plan, options) : undefined;
}

async function finish(
  { revision, mode, trial }: Begun,
  data: unknown,
  options: ChangeOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { style } = context;
  if (!trial)
    return {
      data,
      view: [
        plainText(`Revision ${revision} is ${modeWord(mode)}; it takes effect at the next boot.`),
        nextCommands([
          ['plinth reboot --wait', 'let it take effect'],
          ['plinth config rollback', 'drop it'],
        ]),
      ],
    };
  if (trial.needsConfirmation && options.noConfirm)
    return {
      data,
      view: [
        plainText(
          `Revision ${revision} is on trial; the node goes back in ${formatDuration(durationMs(trial.remaining))}.`,
        ),
        nextCommands([
          ['plinth config confirm', 'keep it'],
          ['plinth config rollback', 'go back now'],
        ]),
      ],
    };
  const title = trial.needsConfirmation
    ? `Bring about revision ${revision} and confirm it`
    : `Bring about revision ${revision} and wait for health`;
  await context.progress.step(title, (step) =>
    followConfig({
      ...{ revision, trial, signal: context.signal, healthMs: HEALTH_WAIT_MS },
      connect: () =>
        connectContext(options.context, context.env, Math.min(options.timeout * 1000, LOOK_TIMEOUT_MS)),
      note: (text) => step.note(text),
    }),
  );
  const how = trial.needsConfirmation ? 'confirmed over a new connection' : 'the node is healthy with it';
  return { data, view: [plainText(`${style.good(`Revision ${revision} is in effect`)}: ${how}.`)] };
}
