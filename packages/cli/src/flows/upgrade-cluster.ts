import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import {
  ActKind,
  ActState,
  actKindName,
  HealthState,
  Membership,
  membershipName,
  nodeRoleName,
} from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';
import { hashFile } from '@plinth/host';
import { healthWord } from '../client/health-word.ts';
import { followAct } from '../cluster/follow-act.ts';
import { pickVersion } from '../cluster/layers.ts';
import { useMember } from '../cluster/observe-cluster.ts';
import { planUpgrade, type UpgradeNode, type UpgradeStep } from '../cluster/plan-upgrade.ts';
import type { CommandContext } from '../framework/context.ts';
import { formatBytes } from '../output/units.ts';
import { waitForHealth } from './wait-for-health.ts';

export interface UpgradeOptions {
  /** Contexts of all nodes of the cluster. */
  readonly nodes: readonly string[];
  /** "1.37.1" */
  readonly target: string;
  /** File of the layer, for nodes that do not have it. */
  readonly layer: string | undefined;
  readonly callTimeoutMs: number;
  readonly actTimeoutMs: number;
}

const HEALTH_TIMEOUT_MS = 300_000;
/** A layer over a slow line: 200 MB at 1 Mbit/s. */
const UPLOAD_TIMEOUT_MS = 30 * 60_000;
/** No layer is larger (packages/image bounds it); a mistaken file is refused before it is read. */
const LAYER_LIMIT_BYTES = 1024 ** 3;

/** What a cluster is to be upgraded to, and how. */
export interface ChosenUpgrade {
  /** "1.37.1", also where only the minor version was named. */
  readonly target: string;
  readonly steps: readonly UpgradeStep[];
}

/**
 * makeUpgradePlan asks all nodes and plans. Nothing is changed. A target such as "1.37" means the newest layer of it that
 * a node has.
 * @throws cluster/skew when the rules forbid it; cluster/no-layer; api/…
 */
export async function makeUpgradePlan(
  options: Pick<UpgradeOptions, 'nodes' | 'target' | 'callTimeoutMs'>,
  context: CommandContext,
): Promise<ChosenUpgrade> {
  const nodes = await Promise.all(options.nodes.map((name) => lookAt(name, options.callTimeoutMs, context)));
  const target = /^\d+\.\d+$/.test(options.target)
    ? pickVersion([...new Set(nodes.flatMap(({ layers }) => layers))], options.target)
    : options.target;
  const plan = planUpgrade(nodes, target);
  if (plan.ok) return { target, steps: plan.steps };
  throw new PlinthError('cluster/skew', `Cannot upgrade to Kubernetes ${target}: ${plan.reason}`);
}

/**
 * carryOut does a plan step by step and looks at the node's health after each upgrade; the first failure ends it, and
 * planning again goes on from there.
 * @throws cluster/act-failed, cluster/not-ready, cluster/no-layer, api/…
 */
export async function carryOut(
  steps: readonly UpgradeStep[],
  options: UpgradeOptions,
  context: CommandContext,
): Promise<void> {
  for (const step of steps) {
    const { name } = step;
    await context.progress.step(stepTitle(step, options.target), async (line) => {
      if (step.kind === 'stage') return sendLayer(name, options, context, line);
      if (step.kind === 'upgrade') {
        await useMember(name, context, options.callTimeoutMs, (node) =>
          node.kubernetes.upgrade(options.target),
        );
      }
      await followUpgrade(name, options, context, line);
    });
  }
}

/** stepTitle says a step of the plan in words. */
export function stepTitle(step: UpgradeStep, target: string): string {
  if (step.kind === 'stage') return `Send the layer of ${target} to node "${step.name}"`;
  if (step.kind === 'await') return `Wait for the upgrade that node "${step.name}" is at`;
  return `Upgrade node "${step.name}" from ${step.from} to ${target}`;
}

/** sendLayer stores a layer on a node without using it. @throws cluster/no-layer, api/…, host/io */
export async function sendLayer(
  name: string,
  options: Pick<UpgradeOptions, 'layer' | 'target'>,
  context: CommandContext,
  progress: Progress,
): Promise<void> {
  const { layer, target } = options;
  if (layer === undefined) {
    throw new PlinthError(
      'cluster/no-layer',
      `Cannot upgrade node "${name}": it has no layer of Kubernetes ${target}, expected one`,
      { hint: 'Name the file with --layer FILE, or run "plinth kubernetes stage FILE" first.' },
    );
  }
  const { sha256, sizeBytes } = await hashFile(layer);
  if (sizeBytes > LAYER_LIMIT_BYTES) {
    throw new PlinthError(
      'cluster/no-layer',
      `Cannot send ${basename(layer)}: it has ${formatBytes(sizeBytes)}, expected at most ${formatBytes(LAYER_LIMIT_BYTES)}`,
    );
  }
  await useMember(name, context, UPLOAD_TIMEOUT_MS, (node) =>
    node.kubernetes.stageLayer({
      ...{ version: target, sha256, sizeBytes, timeoutMs: UPLOAD_TIMEOUT_MS },
      content: createReadStream(layer),
      onProgress: (sentBytes) => progress.note(`${formatBytes(sentBytes)} of ${formatBytes(sizeBytes)}`),
    }),
  );
}

async function followUpgrade(
  name: string,
  options: UpgradeOptions,
  context: CommandContext,
  progress: Progress,
): Promise<void> {
  await useMember(name, context, options.callTimeoutMs, async (node) => {
    await followAct(ActKind.UPGRADE, progress, {
      ...{ name, signal: context.signal, timeoutMs: options.actTimeoutMs },
      get: () => node.kubernetes.get(),
    });
    // Parts of a control plane may need minutes to come back, during which nothing changes.
    const patienceMs = HEALTH_TIMEOUT_MS;
    const health = await waitForHealth(node, HEALTH_TIMEOUT_MS, context.signal, progress, patienceMs);
    if (health.state === HealthState.DEGRADED)
      progress.warn(`node "${name}" is degraded; see "plinth health"`);
    if (health.state === HealthState.HEALTHY || health.state === HealthState.DEGRADED) return;
    throw new PlinthError(
      'cluster/not-ready',
      `Cannot go on with the upgrade: node "${name}" is ${healthWord(health.state)}, expected healthy`,
    );
  });
}

async function lookAt(name: string, timeoutMs: number, context: CommandContext): Promise<UpgradeNode> {
  const answer = await useMember(name, context, timeoutMs, (node) => node.kubernetes.get());
  const { act } = answer;
  return {
    name,
    role: nodeRoleName(answer.role),
    membership: membershipName(answer.membership),
    version: answer.membership === Membership.NONE ? '' : answer.version,
    layers: answer.layers.map(({ version }) => version),
    busyWith: act?.state === ActState.RUNNING ? actKindName(act.kind) : undefined,
  };
}
