import { type NodeClient, UpdatePhase, type UpdateStage, Verdict } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { chooseContext } from '../client/choose-context.ts';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { followDrain, followUncordon } from '../client/follow-machine.ts';
import { type FollowUpdateOptions, followStage, followTrial } from '../client/follow-update.ts';
import { manyNodesText, wantsManyNodes } from '../client/many-options.ts';
import { findNodes } from '../client/meant-nodes.ts';
import type { RollBackOptions, StageOptions, UpgradeOptions } from '../client/update-options.ts';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';

/** What came of it on one node; parts that were not asked for are absent. */
export interface UpgradedNode {
  readonly node: string;
  readonly from: string;
  readonly to: string;
  /** How far it got: "staged", or "committed" once the version is proven. */
  readonly phase: 'staged' | 'committed' | 'unchanged';
  readonly fetchedBytes?: number;
  readonly copiedBytes?: number;
  readonly savedBytes?: number;
  readonly awayMs?: number;
  readonly settledMs?: number;
  /** Checks of the health contract that the version passed. */
  readonly checks?: readonly string[];
}

/** Bound on one question; a node that ends or starts may be silent for that long. */
const CALL_TIMEOUT_MS = 15_000;

/** What of an upgrade is done: bring the version to the disk, reboot into it, or both. */
export type UpgradeParts = 'stage' | 'activate' | 'both';

/**
 * stageNodes brings a version to the disks of nodes, one after the other; nothing reboots, so that nothing is asked.
 * @throws update/…, api/…, cli/…
 */
export function stageNodes(options: StageOptions, context: CommandContext): Promise<readonly UpgradedNode[]> {
  const ofTheReboot = { reason: undefined, override: undefined, drain: false, drainTimeout: 0, force: false };
  return upgradeNodes({ ...options, ...ofTheReboot, yes: true }, context, 'stage');
}

/**
 * upgradeNodes brings nodes to a version, one after the other; the first that fails is the last that is tried.
 * @throws cli/usage, update/…, machine/…, api/…, cli/…
 */
export async function upgradeNodes(
  options: UpgradeOptions,
  context: CommandContext,
  parts: UpgradeParts = 'both',
): Promise<readonly UpgradedNode[]> {
  const upgrade = (node: NodeClient, name: string) => upgradeNode(node, name, { ...options, parts }, context);
  if (!wantsManyNodes(options)) {
    const question = (name: string) =>
      `Bring node "${name}" to ${options.to ?? 'the next version'} and reboot it?`;
    return [await withNode(options, context, upgrade, parts === 'stage' ? undefined : question)];
  }
  if (parts !== 'stage')
    await agree(
      `Bring ${manyNodesText(options)} to ${options.to ?? 'the next version'}, one after the other?`,
      options.yes,
      context,
    );
  using meant = await findNodes({ ...options, timeout: CALL_TIMEOUT_MS / 1000 }, context);
  const done: UpgradedNode[] = [];
  for (const each of meant.nodes) {
    using node = await meant.connect(each, CALL_TIMEOUT_MS);
    done.push(await upgrade(node, each.name));
  }
  return done;
}

/** A version was activated and nobody knows yet whether it stays. */
const UNDER_WAY: readonly UpdatePhase[] = [
  UpdatePhase.DRAINING,
  UpdatePhase.REBOOTING,
  UpdatePhase.ASSESSING,
];

type NodeUpgrade = UpgradeOptions & { readonly parts: UpgradeParts };

/** A channel with more barriers than this between two versions is none that a person follows. */
const MOST_STEPS = 10;

/** Goes to a version that was named over every one that the way leads through. */
async function upgradeNode(
  node: NodeClient,
  name: string,
  options: NodeUpgrade,
  context: CommandContext,
): Promise<UpgradedNode> {
  let from: string | undefined;
  for (let steps = 1; ; steps++) {
    const done = await upgradeOnce(node, name, options, context);
    from ??= done.from;
    const over = options.to === undefined || done.to === options.to || done.phase !== 'committed';
    if (over || options.parts === 'activate' || steps === MOST_STEPS) return { ...done, from };
  }
}

async function upgradeOnce(
  node: NodeClient,
  name: string,
  options: NodeUpgrade,
  context: CommandContext,
): Promise<UpgradedNode> {
  const follow = { name, node, signal: context.signal, timeoutMs: options.timeout * 1000 };
  const before = await node.update.get();
  const from = before.booted?.version ?? '';
  const same = options.to !== undefined && options.to === from;
  if (same && !UNDER_WAY.includes(before.phase)) return { node: name, from, to: from, phase: 'unchanged' };
  if (UNDER_WAY.includes(before.phase)) {
    // Somebody began it, perhaps this very command before it was interrupted: it is followed to its end.
    const assessed = before.phase === UpdatePhase.ASSESSING;
    const to = (assessed ? undefined : before.staged?.version) || from;
    return await followed(to, assessed ? '' : (await node.getIdentity()).bootId);
  }
  const staged = options.parts === 'activate' ? undefined : await stage();
  if (staged === 'newest') return { node: name, from, to: from, phase: 'unchanged' };
  const bytes = staged && {
    fetchedBytes: Number(staged.fetchedBytes),
    copiedBytes: Number(staged.copiedBytes),
    savedBytes: Number(staged.savedBytes),
  };
  if (options.parts === 'stage')
    return { node: name, from, to: staged?.version ?? '', phase: 'staged', ...bytes };
  const { bootId } = await node.getIdentity();
  const to = await context.progress.step(`Activate it on node "${name}"`, async (step) => {
    const { version } = await node.update.activate(staged?.version ?? options.to ?? '', endOptions(options));
    step.note(version);
    return version;
  });
  await drained(follow, options, context);
  return { ...(await followed(to, bootId)), from, ...bytes };

  async function stage(): Promise<UpdateStage | 'newest'> {
    return context.progress.step(
      `Stage ${options.to ?? 'the next version'} on node "${name}"`,
      async (step) => {
        try {
          return await followStage(follow, options.to ?? '', step);
        } catch (reason) {
          if (reason instanceof PlinthError && reason.code === 'update/up-to-date') return 'newest';
          throw reason;
        }
      },
    );
  }

  async function followed(version: string, bootOfBefore: string): Promise<UpgradedNode> {
    return context.progress.step(
      `Wait until ${version} has proven itself on node "${name}"`,
      async (step) => {
        const { awayMs, settledMs, checks } = await followTrial(
          follow,
          version,
          { bootId: bootOfBefore },
          step,
        );
        await followUncordon(follow, step);
        const passed = checks.filter(({ verdict }) => verdict === Verdict.PASS).map(({ id }) => id);
        return { node: name, from, to: version, phase: 'committed', awayMs, settledMs, checks: passed };
      },
    );
  }
}

/** rollBackNode goes back to the version before. @throws update/…, machine/…, api/…, cli/… */
export async function rollBackNode(options: RollBackOptions, context: CommandContext): Promise<UpgradedNode> {
  const roll = async (node: NodeClient, name: string): Promise<UpgradedNode> => {
    const follow = { name, node, signal: context.signal, timeoutMs: options.timeout * 1000 };
    const { bootId } = await node.getIdentity();
    const { fromVersion: from, toVersion: to } = await context.progress.step(
      `Ask node "${name}" to go back`,
      () => node.update.rollBack(endOptions(options)),
    );
    await drained(follow, options, context);
    return context.progress.step(`Wait for ${to} on node "${name}"`, async (step) => {
      const { awayMs, settledMs } = await followTrial(follow, to, { bootId }, step);
      await followUncordon(follow, step);
      return { node: name, from, to, phase: 'committed', awayMs, settledMs };
    });
  };
  return withNode(
    options,
    context,
    roll,
    (name) => `Let node "${name}" go back to the version before and reboot it?`,
  );
}

/** withNode connects to the node of the context and works with it. @param question asked first, where there is one */
export async function withNode<T>(
  options: Pick<RollBackOptions, 'context'> & { readonly yes?: boolean },
  context: CommandContext,
  work: (node: NodeClient, name: string) => Promise<T>,
  question?: (name: string) => string,
): Promise<T> {
  const chosen = chooseContext(await readContexts(contextsPath(context.env)), options.context, context.env);
  if (question) await agree(question(chosen.name), options.yes ?? false, context);
  using node = await connectTo(chosen.context, CALL_TIMEOUT_MS);
  return await work(node, chosen.name);
}

function endOptions({ reason, override, drain, drainTimeout, force }: RollBackOptions) {
  return {
    ...{ reason: reason ?? '', override: override ?? '' },
    drain: drain ? { timeoutMs: drainTimeout * 1000, evictUnmanaged: force } : undefined,
  };
}

async function drained(
  follow: FollowUpdateOptions,
  { drain, drainTimeout }: RollBackOptions,
  context: CommandContext,
): Promise<void> {
  if (!drain) return;
  await context.progress.step(`Move the pods of node "${follow.name}" away`, (step) =>
    followDrain({ ...follow, timeoutMs: drainTimeout * 1000 + 60_000 }, step),
  );
}
