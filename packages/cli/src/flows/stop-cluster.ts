import { mapParallel } from '@plinth/host';
import {
  type ClusterRecord,
  destroyMachine,
  findCluster,
  forgetCluster,
  listMachines,
  readCluster,
  resumeMachine,
  stopMachine,
  withCluster,
} from '@plinth/local';
import { changeContexts, contextsPath } from '../client/contexts-file.ts';
import type { CommandContext } from '../framework/context.ts';

/** Powering off takes a machine's processors; more than this at once only makes each slower. */
const PARALLEL_STOPS = 4;

/**
 * stopCluster powers off every machine of a cluster; workers first, so that etcd goes last.
 * @param graceMs how long each may take before it loses power; default: what `stopMachine` gives it
 * @throws vm/…, host/locked
 */
export async function stopCluster(
  name: string,
  { progress }: CommandContext,
  graceMs?: number,
): Promise<ClusterRecord> {
  return withCluster(name, async () => {
    const record = await findCluster(name);
    const present = new Map((await listMachines()).map((machine) => [machine.name, machine]));
    for (const role of ['worker', 'control-plane'] as const) {
      const members = record.members.filter((member) => member.role === role && present.has(member.name));
      await mapParallel(members, PARALLEL_STOPS, (member) =>
        progress.step(`Stop machine "${member.name}"`, async () => {
          // A paused machine does not hear its power button.
          if (present.get(member.name)?.state === 'running') await resumeMachine(member.name);
          return stopMachine(member.name, graceMs === undefined ? {} : { graceMs });
        }),
      );
    }
    return record;
  });
}

/** destroyCluster removes the machines of a cluster with their disks, its contexts, its kubeconfig and its record. */
export async function destroyCluster(
  name: string,
  { progress, env }: CommandContext,
): Promise<ClusterRecord> {
  return withCluster(name, async () => {
    const record = await findCluster(name);
    for (const member of record.members) {
      await progress.step(`Remove machine "${member.name}"`, () => destroyMachine(member.name));
    }
    await forgetContexts(
      record.members.map((member) => member.name),
      env,
    );
    await forgetCluster(name);
    return record;
  });
}

/** forgetContexts removes the contexts of nodes that are gone. */
export async function forgetContexts(names: readonly string[], env: CommandContext['env']): Promise<void> {
  await changeContexts(contextsPath(env), ({ current, contexts }) => {
    const left = Object.fromEntries(Object.entries(contexts).filter(([name]) => !names.includes(name)));
    return current !== undefined && current in left ? { current, contexts: left } : { contexts: left };
  });
}

/** renewCluster destroys a cluster that there is, so that it can be made anew. */
export async function renewCluster(name: string, context: CommandContext): Promise<void> {
  if (await readCluster(name)) await destroyCluster(name, context);
}
