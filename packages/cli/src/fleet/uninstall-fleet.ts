import { PlinthError } from '@plinth/base';
import { FLEET_GROUP, fleetKinds, installManifests, monitoringManifests } from '@plinth/fleet';
import { deleteObject, type KubeConnection, openKindMap } from '@plinth/kube';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { type ClusterOptions, readInstalled, withCluster } from './cluster-options.ts';

export interface UninstallFleetOptions extends ClusterOptions {
  readonly namespace: string;
  /** Delete the kinds too, and with them every release, policy, rollout and record. */
  readonly kinds: boolean;
  readonly yes: boolean;
}

/**
 * uninstallFleet removes the operator; what it knows of nodes stays, unless `kinds` is asked for. Not while a node is in flight:
 * nobody would bring it back into service.
 * @throws fleet/in-flight, fleet/not-installed, kube/…, cli/declined
 */
export async function uninstallFleet(
  options: UninstallFleetOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { namespace } = options;
  return withCluster(options, context, async (connection) => {
    await expectNoneInFlight(connection, context);
    const { host } = connection.server;
    await agree(
      `Remove the fleet operator from ${host}${options.kinds ? ', with all it knows' : ''}?`,
      options.yes,
      context,
    );
    const install = { namespace, image: '', replicas: 1, mayDeletePods: true, mayDeleteMachines: true };
    const all = [...installManifests(install), ...monitoringManifests(namespace)];
    const isKind = (object: object) => 'kind' in object && object.kind === 'CustomResourceDefinition';
    const doomed = all.filter((object) => options.kinds || !isKind(object)).reverse();
    const kinds = openKindMap(connection);
    let deleted = 0;
    await context.progress.step(`Delete up to ${doomed.length} objects`, async () => {
      for (const object of doomed)
        if (await deleteObject(connection, kinds, object, context.signal)) deleted += 1;
    });
    const kept = fleetKinds.map(({ plural }) => `${plural}.${FLEET_GROUP}`);
    return {
      data: { namespace, deleted, kindsKept: options.kinds ? [] : kept },
      view: [
        plainText(`The operator is gone: ${deleted} objects were deleted.`),
        ...(options.kinds
          ? []
          : [nextCommands([['kubectl get plinth', 'what stayed: policies, rollouts, records']])]),
      ],
    };
  });
}

async function expectNoneInFlight(connection: KubeConnection, context: CommandContext): Promise<void> {
  const { view } = await readInstalled(connection, context);
  const nodes = [...view.ledgers.values()].flatMap(
    ({ status }) => status?.entries.map(({ node }) => node) ?? [],
  );
  if (nodes.length === 0) return;
  throw new PlinthError(
    'fleet/in-flight',
    `Cannot remove the fleet operator: nodes are being updated (${nodes.slice(0, 3).join(', ')}${nodes.length > 3 ? ', …' : ''})`,
  );
}
