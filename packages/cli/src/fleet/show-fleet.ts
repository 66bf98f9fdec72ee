import { PlinthError } from '@plinth/base';
import {
  driftOf,
  FLEET_NAME,
  type FleetView,
  type StoredNodeUpdate,
  type StoredPolicy,
  type StoredRollout,
} from '@plinth/fleet';
import { askKube, type KubeConnection } from '@plinth/kube';
import { z } from 'zod';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { type ClusterOptions, readInstalled, withCluster } from './cluster-options.ts';
import { hasEnded } from './find-rollout.ts';
import { phaseMark, troubles, unreadableText } from './rollout-columns.ts';

export interface FleetStatusOptions extends ClusterOptions {
  readonly namespace: string;
  /** Show each node in place of policies. */
  readonly nodes: boolean;
}

/** showFleet shows whether the operator works, its policies, and with `nodes` every node. @throws fleet/not-installed, kube/… */
export async function showFleet(
  options: FleetStatusOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { read, operator } = await withCluster(options, context, async (connection) => ({
    read: await readInstalled(connection, context),
    operator: await readOperator(connection, options.namespace, context.signal),
  }));
  const { view, unreadable } = read;
  const policies = [...view.policies.values()].sort(
    (a, b) => a.spec.priority - b.spec.priority || a.name.localeCompare(b.name),
  );
  return {
    data: {
      operator,
      policies: policies.map(({ name, spec, status }) => ({ name, spec, status: status ?? null })),
      nodes: [...view.nodeUpdates.values()].map(({ name, spec, status }) => ({
        ...{ name, policy: spec.policy, target: spec.target ?? null },
        ...{ progress: status?.progress ?? null, node: status?.node ?? null },
      })),
      unreadable,
    },
    names: options.nodes ? [...view.nodeUpdates.keys()] : policies.map(({ name }) => name),
    view: [
      facts([
        ['operator', operatorText(operator, context.style)],
        ['leader', leaderText(operator, view.nowMs, context.style)],
        ['nodes', `${view.nodes.size}, ${view.nodeUpdates.size} under a policy`],
      ]),
      options.nodes ? nodeTable(view) : policyTable(policies, view),
      ...policyProblems(policies, context.style),
      ...(unreadable.length > 0 ? [plainText(unreadableText(unreadable))] : []),
      ...(policies.length === 0
        ? [nextCommands([['kubectl explain updatepolicy.spec', 'what a policy can say']])]
        : []),
    ],
  };
}

/** What the cluster shows of the operator's own health; undefined: it could not be asked, or there is none. */
interface OperatorState {
  readonly image: string | undefined;
  readonly ready: number;
  readonly wanted: number | undefined;
  readonly leader: string | undefined;
  readonly renewedAt: string | undefined;
  readonly leaseSeconds: number;
}

const deploymentSchema = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string() })) }),
    }),
  }),
  status: z.looseObject({ readyReplicas: z.number().default(0) }).prefault({}),
});
const leaseSchema = z.looseObject({
  spec: z.looseObject({
    holderIdentity: z.string().nullish(),
    renewTime: z.string().nullish(),
    leaseDurationSeconds: z.number().nullish(),
  }),
});

async function readOperator(
  connection: KubeConnection,
  namespace: string,
  signal: AbortSignal,
): Promise<OperatorState> {
  const ask = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    try {
      return schema.parse(await askKube(connection, { method: 'GET', path }, signal));
    } catch (reason) {
      if (reason instanceof PlinthError && ['kube/not-found', 'kube/forbidden'].includes(reason.code))
        return undefined;
      throw reason;
    }
  };
  const place = `namespaces/${namespace}`;
  const deployment = await ask(`/apis/apps/v1/${place}/deployments/${FLEET_NAME}`, deploymentSchema);
  const lease = await ask(`/apis/coordination.k8s.io/v1/${place}/leases/${FLEET_NAME}`, leaseSchema);
  return {
    image: deployment?.spec.template.spec.containers[0]?.image,
    ready: deployment?.status.readyReplicas ?? 0,
    wanted: deployment?.spec.replicas,
    leader: lease?.spec.holderIdentity || undefined,
    renewedAt: lease?.spec.renewTime ?? undefined,
    leaseSeconds: lease?.spec.leaseDurationSeconds ?? 15,
  };
}

function operatorText({ image, ready, wanted }: OperatorState, style: Style): string {
  if (wanted === undefined) return style.doubtful('no Deployment, or this account may not see it');
  const text = `${ready} of ${wanted} ready, ${image}`;
  return ready === 0 ? style.bad(text) : ready < wanted ? style.doubtful(text) : style.good(text);
}

function leaderText({ leader, renewedAt, leaseSeconds }: OperatorState, nowMs: number, style: Style): string {
  if (leader === undefined || renewedAt === undefined) return style.doubtful('none');
  const ageMs = nowMs - Date.parse(renewedAt);
  const text = `${leader}, renewed ${formatDuration(Math.max(0, ageMs))} ago`;
  return ageMs > leaseSeconds * 1000 ? style.bad(`${text}: it no longer leads`) : text;
}

/** What is wrong with policies, not cut: a conflict names the other policy at its end. */
function policyProblems(policies: readonly StoredPolicy[], style: Style): readonly Block[] {
  const rows = policies.flatMap(({ name, status }) =>
    troubles(status?.conditions ?? []).map(
      (each) => [style.doubtful(`${name}: ${each.type}`), printable(each.message)] as const,
    ),
  );
  return rows.length > 0 ? [facts(rows)] : [];
}

function policyTable(policies: readonly StoredPolicy[], view: FleetView) {
  const open = new Map<string, StoredRollout>();
  for (const rollout of view.rollouts.values())
    if (!hasEnded(rollout)) open.set(rollout.spec.policy, rollout);
  const of = (policy: StoredPolicy) => open.get(policy.name)?.status;
  return table<StoredPolicy>(
    [
      { header: 'POLICY', value: ({ name }) => name },
      { header: 'ROLE', value: ({ spec }) => spec.role, wide: true },
      { header: 'RELEASE', value: ({ spec }) => spec.release },
      { header: 'NODES', value: ({ status }) => String(status?.matchedNodes ?? ''), align: 'right' },
      { header: 'MAX', value: ({ spec }) => String(spec.capacity.maxUnavailable), align: 'right' },
      {
        header: 'ROLLOUT',
        value: (policy) => (policy.spec.paused ? 'Paused' : (of(policy)?.phase ?? '')),
        mark: (policy, style) => (of(policy) ? phaseMark(of(policy)?.phase, style) : style.faint),
      },
      {
        header: 'DONE',
        value: (policy) => {
          const counts = of(policy)?.counts;
          return counts ? `${counts['Done'] ?? 0}/${counts['Total'] ?? 0}` : '';
        },
        align: 'right',
      },
    ],
    policies,
    'There is no UpdatePolicy: no node is touched.',
  );
}

/** Why a node is where it is, or what of its config is not as its release has it. */
function whyText(update: StoredNodeUpdate): string {
  const drift = driftOf(update);
  if (drift.length > 0) return `config drifted: ${drift.join(', ')}`;
  return update.status?.progress?.reason?.text ?? '';
}

function nodeTable(view: FleetView) {
  return table(
    [
      { header: 'NODE', value: ({ name }) => name },
      { header: 'POLICY', value: ({ spec }) => spec.policy },
      { header: 'PHASE', value: ({ status }) => status?.progress?.phase ?? '' },
      { header: 'OS', value: ({ status }) => status?.node?.osVersion ?? '' },
      { header: 'TARGET', value: ({ spec }) => spec.target?.release ?? '' },
      { header: 'WHY', value: whyText },
      {
        header: 'SINCE',
        value: ({ status }) =>
          status?.progress ? formatDuration(view.nowMs - Date.parse(status.progress.since)) : '',
        align: 'right',
      },
    ],
    [...view.nodeUpdates.values()].sort((a, b) => a.name.localeCompare(b.name)),
    'No node is under a policy.',
  );
}
