import { type NodeClient, UpdatePhase, type UpdateStage, Verdict } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { followUncordon } from '../client/follow-machine.ts';
import { followStage, followTrial } from '../client/follow-update.ts';
import { manyNodesText, wantsManyNodes } from '../client/many-options.ts';
import { findNodes } from '../client/meant-nodes.ts';
import { startWayText } from '../client/start-way.ts';
import type { RollBackOptions, StageOptions, UpgradeOptions } from '../client/update-options.ts';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import { actRequest, CALL_TIMEOUT_MS, movePods, withMachine } from './machine-act.ts';

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

/** What of an upgrade is done: bring the version to the disk, reboot into it, or both. */
type UpgradeParts = 'stage' | 'activate' | 'both';

/**
 * stageNodes brings a version to the disks of nodes, one after the other; nothing reboots, so that nothing is asked.
 * @throws update/…, api/…, cli/…
 */
export function stageNodes(options: StageOptions, context: CommandContext): Promise<readonly UpgradedNode[]> {
  const ofTheReboot = {
    ...{ reason: undefined, override: undefined, drain: false, drainTimeout: 0, force: false },
    fullReboot: false,
  };
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
  const version = parts === 'activate' ? 'the version that is staged' : (options.to ?? 'the next version');
  const asked = async (nodes: string, how: string) => {
    if (parts !== 'stage') await agree(`Bring ${nodes} to ${version}${how}?`, options.yes, context);
  };
  if (!wantsManyNodes(options)) {
    const one = await withMachine(options, context, async (node, name) => {
      await asked(`node "${name}"`, ' and reboot it');
      return upgrade(node, name);
    });
    return [one];
  }
  await asked(manyNodesText(options), ', one after the other');
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
    if (over || options.parts === 'activate') return { ...done, from };
    if (steps === MOST_STEPS)
      throw new PlinthError(
        'update/barrier',
        `Cannot bring node "${name}" to ${options.to}: after ${steps} versions in between it runs ${done.to}`,
        { hint: 'If that is the way you want, run the same command again: it goes on from there.' },
      );
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
    if (!assessed)
      return { ...(await followed(before.staged?.version || from, (await node.getIdentity()).bootId)), from };
    // It is in the version on trial: the one it came from is the one it would go back to.
    return { ...(await followed(from, '')), from: before.rollback?.version || from };
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
    const wanted = staged?.version ?? options.to ?? '';
    // A version on the way to another has to be proven by the firmware before the next can be staged.
    const last = options.to === undefined || wanted === options.to;
    const { version, startWay } = await node.update.activate(wanted, {
      ...actRequest(options),
      fastest: last && !options.fullReboot,
    });
    step.note(startWay ? `${version}, ${startWayText(startWay)}` : version);
    return version;
  });
  await movePods(follow, options, context);
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

  async function followed(version: string, bootOfBefore: string): Promise<Omit<UpgradedNode, 'from'>> {
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
        return { node: name, to: version, phase: 'committed', awayMs, settledMs, checks: passed };
      },
    );
  }
}

/** rollBackNode goes back to the version before. @throws update/…, machine/…, api/…, cli/… */
export async function rollBackNode(options: RollBackOptions, context: CommandContext): Promise<UpgradedNode> {
  return withMachine(options, context, async (node, name) => {
    await agree(`Let node "${name}" go back to the version before and reboot it?`, options.yes, context);
    const follow = { name, node, signal: context.signal, timeoutMs: options.timeout * 1000 };
    const { bootId } = await node.getIdentity();
    const { fromVersion: from, toVersion: to } = await context.progress.step(
      `Ask node "${name}" to go back`,
      () => node.update.rollBack(actRequest(options)),
    );
    await movePods(follow, options, context);
    return context.progress.step(`Wait for ${to} on node "${name}"`, async (step) => {
      const { awayMs, settledMs } = await followTrial(follow, to, { bootId }, step);
      await followUncordon(follow, step);
      return { node: name, from, to, phase: 'committed', awayMs, settledMs };
    });
  });
}
