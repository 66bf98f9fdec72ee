import { listMachines, withCluster } from '@plinth/local';
import { localCluster } from '../cluster/cluster-contexts.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText } from '../output/blocks.ts';

/**
 * eachMachine does something to every machine of a local cluster that runs.
 * @param cluster its name; undefined means the one that localCluster chooses
 * @param outcome what they are then, "paused"
 * @throws cluster/not-found, vm/monitor, host/locked
 */
export async function eachMachine(
  cluster: string | undefined,
  outcome: string,
  work: (machine: string) => Promise<void>,
  context: CommandContext,
): Promise<CommandResult> {
  const { name, members } = await localCluster(cluster, context);
  const machines = await withCluster(name, async () => {
    const running = new Set(
      (await listMachines()).filter(({ state }) => state === 'running').map((machine) => machine.name),
    );
    const names = members.map((member) => member.name).filter((member) => running.has(member));
    await Promise.all(names.map((machine) => work(machine)));
    return names;
  });
  return {
    data: { name, outcome, machines },
    view: [plainText(`Cluster "${name}": ${machines.length} machines ${outcome}.`)],
  };
}
