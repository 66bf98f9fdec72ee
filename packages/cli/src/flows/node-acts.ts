import { ActKind, Membership, type NodeRole, nodeRoleName } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { chooseContext } from '../client/choose-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { followAct } from '../cluster/follow-act.ts';
import { inviteNode } from '../cluster/invite-node.ts';
import { useMember } from '../cluster/observe-cluster.ts';
import type { CommandContext } from '../framework/context.ts';

/** How long a person may be kept waiting for one act of one node. */
export interface ActOptions {
  readonly context: string | undefined;
  /** Bound on each call. */
  readonly callTimeoutMs: number;
  /** Bound on the whole act. */
  readonly actTimeoutMs: number;
}

export interface BootstrapOptions extends ActOptions {
  readonly cluster: string;
  readonly version: string;
  readonly address: string;
  readonly dedicated: boolean;
  readonly serverNames: readonly string[];
}

/** meantNode is the name of the node that is meant. @throws cli/context-missing, cli/config-invalid */
export async function meantNode(flag: string | undefined, { env }: CommandContext): Promise<string> {
  return chooseContext(await readContexts(contextsPath(env)), flag, env).name;
}

/** bootstrapNode makes a node the first control plane of a new cluster. @throws api/…, cluster/… */
export async function bootstrapNode(options: BootstrapOptions, context: CommandContext): Promise<string> {
  const name = await meantNode(options.context, context);
  await context.progress.step(`Bootstrap cluster "${options.cluster}" on node "${name}"`, (step) =>
    useMember(name, context, options.callTimeoutMs, async (node) => {
      await node.kubernetes.bootstrap({
        cluster: {
          name: options.cluster,
          controlPlanesTakeWorkloads: !options.dedicated,
          apiServerNames: [...options.serverNames],
        },
        kubernetesVersion: options.version,
        nodeAddress: options.address,
      });
      await followAct(ActKind.BOOTSTRAP, step, {
        ...{ name, signal: context.signal, timeoutMs: options.actTimeoutMs },
        get: () => node.kubernetes.get(),
      });
    }),
  );
  return name;
}

export interface JoinOptions extends ActOptions {
  readonly inviter: string;
  readonly role: NodeRole;
  readonly address: string;
}

/** joinNode invites a node to the cluster of a control plane and lets it join. @throws api/…, cluster/… */
export async function joinNode(options: JoinOptions, context: CommandContext): Promise<string> {
  const name = await meantNode(options.context, context);
  if (name === options.inviter) {
    throw new PlinthError('cluster/bad-spec', `Cannot join node "${name}": it cannot invite itself`, {
      hint: 'Name the joining node with --context and a control plane as the argument.',
    });
  }
  await context.progress.step(`Join node "${name}" as ${nodeRoleName(options.role)}`, (step) =>
    useMember(name, context, options.callTimeoutMs, async (node) => {
      const { role, address } = options;
      if ((await node.kubernetes.get()).membership === Membership.MEMBER) {
        throw new PlinthError(
          'kubernetes/already-member',
          `Cannot join node "${name}": it is a member of a cluster, expected a node without one`,
        );
      }
      const addressAmong = (addresses: readonly string[]) =>
        address === '' ? onlyAddress(name, addresses) : address;
      await inviteNode(
        node,
        options.inviter,
        { role, addressAmong },
        { context, timeoutMs: options.callTimeoutMs },
      );
      await followAct(ActKind.JOIN, step, {
        ...{ name, signal: context.signal, timeoutMs: options.actTimeoutMs },
        get: () => node.kubernetes.get(),
      });
    }),
  );
  return name;
}

/** leaveCluster lets a node leave. @param override the node's name, typed by a person @throws api/…, cluster/… */
export async function leaveCluster(
  name: string,
  override: string,
  options: Omit<ActOptions, 'context'>,
  context: CommandContext,
): Promise<void> {
  await context.progress.step(`Let node "${name}" leave the cluster`, (step) =>
    useMember(name, context, options.callTimeoutMs, async (node) => {
      await node.kubernetes.leave(override);
      await followAct(ActKind.LEAVE, step, {
        ...{ name, signal: context.signal, timeoutMs: options.actTimeoutMs },
        get: () => node.kubernetes.get(),
      });
    }),
  );
}

/** forgetNode lets the cluster of a control plane forget a node that has left or is lost. @throws api/… */
export async function forgetNode(
  name: string,
  controlPlane: string,
  { callTimeoutMs }: Pick<ActOptions, 'callTimeoutMs'>,
  context: CommandContext,
): Promise<void> {
  await context.progress.step(`Let the cluster forget node "${name}"`, () =>
    useMember(controlPlane, context, callTimeoutMs, (node) => node.kubernetes.forgetNode(name)),
  );
}

function onlyAddress(name: string, addresses: readonly string[]): string {
  const ipv4 = addresses.map((each) => each.split('/')[0] ?? '').filter((each) => /^\d+\./.test(each));
  const [first] = ipv4;
  if (first !== undefined && ipv4.length === 1) return first;
  throw new PlinthError(
    'cluster/bad-spec',
    `Cannot join node "${name}": it has the addresses ${addresses.join(', ') || 'none'}, expected one`,
    { hint: 'Say with --address by which one the other nodes reach it.' },
  );
}
