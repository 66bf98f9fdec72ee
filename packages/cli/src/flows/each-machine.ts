import { type ClusterRecord, listMachines, withCluster } from '@plinth/local';

/** eachMachine does something to every machine of a cluster that runs, and names them. @throws vm/monitor, host/locked */
export async function eachMachine(
  record: ClusterRecord,
  work: (name: string) => Promise<void>,
): Promise<string[]> {
  return withCluster(record.name, async () => {
    const running = new Set(
      (await listMachines()).filter(({ state }) => state === 'running').map(({ name }) => name),
    );
    const names = record.members.map(({ name }) => name).filter((name) => running.has(name));
    await Promise.all(names.map(work));
    return names;
  });
}
