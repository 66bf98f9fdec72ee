import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { messageOf, PlinthError } from '@plinth/base';
import { fleetDecide, runOperator } from '@plinth/fleet/runtime';
import { readClusterAccess } from '@plinth/kube';
import { userKubeconfig } from '../cluster/kubeconfig.ts';
import type { CommandContext } from '../framework/context.ts';
import type { ClusterOptions } from './cluster-options.ts';

export interface RunFleetOptions extends ClusterOptions {
  /** Files, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly namespace: string;
  readonly address: string;
  readonly port: number;
  readonly nodePort: number;
  readonly webhook: string | undefined;
}

/**
 * runFleet is the operator itself, outside a cluster or in a container of one's own. It goes on until Ctrl-C.
 * @throws kube/bad-kubeconfig, host/io when the certificate cannot be read, fleet/not-leading when the lease was lost
 */
export async function runFleet(options: RunFleetOptions, context: CommandContext): Promise<undefined> {
  const { signal, say, env } = context;
  const path = options.kubeconfig ?? userKubeconfig(env);
  const access = await readClusterAccess(path, options.kubeContext, signal);
  // Read anew with each connection: it is replaced before it ends.
  const identity = () => ({ certificatePem: readPem(options.cert), keyPem: readPem(options.key) });
  identity();
  const end = await runOperator({
    ...{ access, identity, decide: fleetDecide, namespace: options.namespace, signal, say },
    ...{
      podName: hostname(),
      leaderNode: '',
      nodePort: options.nodePort,
      webhooks: options.webhook === undefined ? [] : [options.webhook],
    },
    observer: { host: options.address, port: options.port },
    listening: (port) => say(`metrics at http://${options.address}:${port}/metrics`),
  });
  if (end === 'lost')
    throw new PlinthError('fleet/not-leading', 'Cannot go on: the lease was lost, expected to hold it');
  return undefined;
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (reason) {
    throw new PlinthError('host/io', `Cannot read ${path}: ${messageOf(reason)}`, { cause: reason });
  }
}
