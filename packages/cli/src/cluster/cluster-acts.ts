import type { ActKind } from '@plinth/api';
import type { Progress } from '@plinth/base';
import { type ClusterMember, type ClusterRecord, memberCard, resumeMachine } from '@plinth/local';
import { MEMBER_CALL_TIMEOUT_MS } from '../client/call-timeout.ts';
import type { BuiltDisk } from '../flows/build-disk.ts';
import { startNode } from '../flows/start-node.ts';
import type { CommandContext } from '../framework/context.ts';
import { followAct } from './follow-act.ts';
import { inviteNode } from './invite-node.ts';
import { type LayerFile, layerDrives } from './layers.ts';
import { addressOf, type ClusterActs, roleOf } from './lead-cluster.ts';
import { observeCluster, useMember } from './observe-cluster.ts';

export interface ClusterActsOptions {
  readonly record: ClusterRecord;
  readonly built: Pick<BuiltDisk, 'keys' | 'toolbox'> & { readonly image: { readonly diskPath: string } };
  readonly keyFolder: string;
  readonly layers: readonly LayerFile[];
  readonly secureBoot: boolean;
  /** Bound on one act of a node. */
  readonly actTimeoutMs: number;
}

/** Names the API server is reached by through the forwarded port. */
const LOCAL_NAMES = ['127.0.0.1', 'localhost'];

/** clusterActs act on the machines of this computer and on their nodes. */
export function clusterActs(options: ClusterActsOptions, context: CommandContext): ClusterActs {
  const { record } = options;
  return {
    observe: () => observeCluster(record, context),
    start: (member, progress) => start(options, member, { ...context, progress }),
    resume: (name) => resumeMachine(name),
    bootstrap: (member) =>
      useMember(member.name, context, MEMBER_CALL_TIMEOUT_MS, (client) =>
        client.kubernetes.bootstrap({
          cluster: {
            name: record.name,
            controlPlanesTakeWorkloads: record.controlPlanesTakeWorkloads,
            apiServerNames: LOCAL_NAMES,
          },
          kubernetesVersion: record.kubernetesVersion,
          nodeAddress: addressOf(record, member),
        }),
      ),
    join: invite,
    follow,
  };

  async function invite(member: ClusterMember, inviter: string): Promise<void> {
    const invitee = { role: roleOf(member), addressAmong: () => addressOf(record, member) };
    const timeoutMs = MEMBER_CALL_TIMEOUT_MS;
    await useMember(member.name, context, timeoutMs, (joining) =>
      inviteNode(joining, inviter, invitee, { context, timeoutMs }),
    );
  }

  function follow(name: string, kind: ActKind, progress: Progress): Promise<void> {
    return useMember(name, context, MEMBER_CALL_TIMEOUT_MS, (client) =>
      followAct(kind, progress, {
        name,
        get: () => client.kubernetes.get(),
        signal: context.signal,
        timeoutMs: options.actTimeoutMs,
      }),
    );
  }
}

async function start(
  { record, built, layers, ...options }: ClusterActsOptions,
  member: ClusterMember,
  context: CommandContext,
): Promise<void> {
  await startNode(
    {
      name: member.name,
      ...{ diskPath: built.image.diskPath, keys: built.keys, toolbox: built.toolbox },
      ...{ keyFolder: options.keyFolder, secureBoot: options.secureBoot, apiPort: 0 },
      ...{ memoryMiB: member.memoryMiB, cpus: member.cpus },
      cluster: {
        card: memberCard(record.network, member),
        address: `${addressOf(record, member)}/24`,
        servesKubernetes: member.role === 'control-plane',
        drives: layerDrives(layers),
      },
    },
    context,
  );
}
