import { findRunningMachine } from './list-machines.ts';
import { machineFiles } from './machine-files.ts';
import { withMonitor } from './monitor.ts';
import { CLUSTER_NETDEV } from './plan-machine.ts';

const MONITOR_TIMEOUT_MS = 5_000;

/**
 * setLink pulls the cable of a machine's cluster network, or plugs it in again. The machine sees its card lose the
 * carrier; its API stays reachable, because that is on the other card.
 * @throws vm/not-found, vm/not-running, vm/monitor also when the machine has no such card
 */
export async function setLink(
  name: string,
  up: boolean,
  options: { readonly root?: string } = {},
): Promise<void> {
  const { folder } = await findRunningMachine(name, options.root);
  await withMonitor(folder, machineFiles.monitorSocket, MONITOR_TIMEOUT_MS, (monitor) =>
    monitor.execute('set_link', { name: CLUSTER_NETDEV, up }),
  );
}
