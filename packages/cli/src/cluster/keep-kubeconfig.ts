import { readFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { isErrno, writeFileAtomic } from '@plinth/host';
import { type ClusterRecord, kubeconfigPath, listMachines, type MachineStatus } from '@plinth/local';
import { MEMBER_CALL_TIMEOUT_MS } from '../client/call-timeout.ts';
import type { CommandContext } from '../framework/context.ts';
import { expiryOf, type KubernetesAccess, readAccess } from './kubeconfig.ts';
import { useMember } from './observe-cluster.ts';

/** A kubeconfig is replaced while it still works; nodes give them for a week. */
const RENEW_BEFORE_MS = 24 * 3600 * 1000;

/** The kubeconfig of a local cluster on this computer. */
export interface KeptKubeconfig {
  readonly path: string;
  readonly access: KubernetesAccess;
}

/** serverOf is the URL by which this computer reaches the API server of a machine; undefined when none does. */
export function serverOf(machine: MachineStatus): string | undefined {
  const { kubernetesPort } = machine.record;
  return kubernetesPort === undefined ? undefined : `https://127.0.0.1:${kubernetesPort}`;
}

/**
 * keepKubeconfig gives the kubeconfig of a local cluster: the one on disk while it is good and leads to a control plane
 * that runs, else a new one from the first control plane that runs.
 * @throws cluster/unreachable when none runs; api/…, cluster/bad-kubeconfig, host/io
 */
export async function keepKubeconfig(
  record: ClusterRecord,
  context: Pick<CommandContext, 'env'>,
  now: Date = new Date(),
): Promise<KeptKubeconfig> {
  const path = kubeconfigPath(record.name);
  const running = await runningServers(record);
  const held = await readHeld(path);
  if (held && running.some(({ server }) => server === held.server) && isWorthKeeping(expiryOf(held), now))
    return { path, access: held };
  const [first] = running;
  if (!first) {
    throw new PlinthError(
      'cluster/unreachable',
      `Cannot get a kubeconfig of cluster "${record.name}": no control plane runs, expected one`,
    );
  }
  const { kubeconfig } = await useMember(first.name, context, MEMBER_CALL_TIMEOUT_MS, (client) =>
    client.kubernetes.kubeconfig(first.server),
  );
  const access = readAccess(kubeconfig, 'the kubeconfig of the node');
  await writeFileAtomic(path, kubeconfig, 0o600);
  return { path, access };
}

async function runningServers(record: ClusterRecord) {
  const machines = new Map((await listMachines()).map((machine) => [machine.name, machine]));
  return record.members.flatMap(({ name, role }) => {
    const machine = machines.get(name);
    const server = machine && role === 'control-plane' && machine.state === 'running' && serverOf(machine);
    return server ? [{ name, server }] : [];
  });
}

async function readHeld(path: string): Promise<KubernetesAccess | undefined> {
  try {
    return readAccess(await readFile(path, 'utf8'), path);
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    // Whatever is wrong with the file, a new one mends it.
    if (reason instanceof PlinthError) return undefined;
    throw reason;
  }
}

/** isWorthKeeping tells whether a kubeconfig that ends then is good for a while; one without a readable end is not. */
export function isWorthKeeping(expiry: Date | undefined, now: Date): boolean {
  return expiry !== undefined && expiry.getTime() - now.getTime() > RENEW_BEFORE_MS;
}
