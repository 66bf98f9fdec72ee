import { PlinthError } from '@plinth/base';
import { FLEET_GROUP, FLEET_VERSION, type RolloutSpec, type StoredRollout } from '@plinth/fleet';
import { askKube } from '@plinth/kube';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type ClusterOptions, readInstalled, withCluster } from './cluster-options.ts';
import { findRollout, hasEnded } from './find-rollout.ts';

/** What a person does to a rollout. */
export interface RolloutChange {
  /** Fields of the spec. */
  readonly spec: Partial<RolloutSpec>;
  /** What it comes to, a sentence. */
  readonly says: string;
  /** Asked before; absent: nothing is asked. */
  readonly question?: string;
}

/**
 * changeRollout changes the spec of a rollout by the version that was looked at: a change by somebody else in between is a
 * conflict, and nothing was written.
 * @throws fleet/unknown-rollout, fleet/rollout-over, cli/declined, kube/forbidden, kube/conflict, …
 */
export async function changeRollout(
  name: string,
  decide: (rollout: StoredRollout, now: Date) => RolloutChange,
  options: ClusterOptions & { readonly yes?: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  return withCluster(options, context, async (connection) => {
    const { view } = await readInstalled(connection, context);
    const rollout = findRollout(view, name);
    if (hasEnded(rollout))
      throw new PlinthError(
        'fleet/rollout-over',
        `Cannot change rollout ${rollout.name}: it is ${rollout.status?.phase}, expected one under way`,
      );
    const { spec, says, question } = decide(rollout, new Date(view.nowMs));
    if (question !== undefined) await agree(question, options.yes === true, context);
    const path = `/apis/${FLEET_GROUP}/${FLEET_VERSION}/rollouts/${rollout.name}`;
    const body = { metadata: { resourceVersion: rollout.resourceVersion }, spec };
    const asked = { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' } as const;
    await askKube(connection, asked, context.signal);
    return {
      data: { rollout: rollout.name, changed: spec },
      names: [rollout.name],
      view: [
        plainText(printable(`${rollout.name}: ${says}`)),
        nextCommands([[`plinth rollout status ${rollout.name}`, 'what comes of it']]),
      ],
    };
  });
}
