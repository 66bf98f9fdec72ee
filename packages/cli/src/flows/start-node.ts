import { join } from 'node:path';
import type { NodeClient } from '@plinth/api';
import type { Progress } from '@plinth/base';
import { API_VERSION } from '@plinth/config';
import { cacheDir } from '@plinth/host';
import {
  type ClusterCard,
  destroyMachine,
  type ExtraDrive,
  listMachines,
  type MachineSpec,
  type MachineStatus,
  startMachine,
  stopMachine,
  waitForApi,
} from '@plinth/local';
import type { Toolbox } from '@plinth/toolbox';
import { exportKeys, type KeyRing } from '@plinth/trust';
import { connectTo } from '../client/connect-context.ts';
import { type ClientContext, changeContexts, contextsPath } from '../client/contexts-file.ts';
import { keepCredentials } from '../client/issue-credentials.ts';
import type { CommandContext } from '../framework/context.ts';

export interface StartNodeOptions {
  readonly name: string;
  readonly diskPath: string;
  readonly keys: KeyRing;
  readonly keyFolder: string;
  readonly toolbox: Toolbox;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly apiPort: number;
  /** False starts UEFI without Secure Boot; the node then reports the lower posture. */
  readonly secureBoot: boolean;
  readonly cluster?: ClusterPlace;
}

/** What a machine has because it belongs to a cluster. */
export interface ClusterPlace {
  readonly card: ClusterCard;
  /** Its address on the cluster network with the length of the prefix, "10.5.0.11/24". */
  readonly address: string;
  /** Whether a port of this computer leads to its API server. */
  readonly servesKubernetes: boolean;
  /** The Kubernetes layers. */
  readonly drives: readonly ExtraDrive[];
}

/** A machine whose API answers. */
export interface StartedNode {
  readonly machine: MachineStatus;
  readonly context: ClientContext;
  /** Whether it was running before. */
  readonly wasRunning: boolean;
}

const CALL_TIMEOUT_MS = 60_000;

/**
 * startNode brings a machine up on a disk and waits for its API; one that runs on the same disk is taken as it is.
 * The client learns the machine as a context of the same name.
 * @throws vm/…, trust/…, cli/interrupted
 */
export async function startNode(options: StartNodeOptions, context: CommandContext): Promise<StartedNode> {
  const { name } = options;
  const { progress, signal } = context;
  const credentials = await keepCredentials(options.keys, context.env);
  const existing = (await listMachines()).find((machine) => machine.name === name);
  const wasRunning = existing?.state === 'running' && keepsDisk(existing, options);
  const machine = wasRunning
    ? existing
    : await progress.step(`Start machine "${name}"`, (step) => startOn(options, existing, step, signal));
  const endpoint = await progress.step('Wait until the node answers', (step) =>
    waitForApi(machine, { signal, onLine: (line) => step.note(line.slice(0, 60)) }),
  );
  const client: ClientContext = {
    endpoint: `${endpoint.address}:${endpoint.port}`,
    fingerprint: endpoint.fingerprint,
    ...credentials,
  };
  await changeContexts(contextsPath(context.env), (file) => ({
    ...file,
    current: name,
    contexts: { ...file.contexts, [name]: client },
  }));
  return { machine, context: client, wasRunning };
}

/** A member of a cluster keeps its disk when the image was built again: the cluster's data are on it. */
function keepsDisk(existing: MachineStatus, { cluster, diskPath }: StartNodeOptions): boolean {
  return cluster !== undefined || existing.record.base.path === diskPath;
}

async function startOn(
  options: StartNodeOptions,
  existing: MachineStatus | undefined,
  step: Progress,
  signal: AbortSignal,
): Promise<MachineStatus> {
  const { name, diskPath } = options;
  if (existing === undefined) return startMachine(options.toolbox, await machineSpec(options), { signal });
  const { record } = existing;
  if (keepsDisk(existing, options)) {
    if (record.base.path !== diskPath) step.warn(`the image changed: node "${name}" keeps the one it has`);
    // The ports stay, or a kubeconfig that was handed out would lead nowhere.
    const spec = await machineSpec({ ...options, diskPath: record.base.path });
    const { kubernetesPort } = record;
    const ports = { apiPort: record.apiPort, ...(kubernetesPort !== undefined && { kubernetesPort }) };
    return startMachine(options.toolbox, options.cluster ? { ...spec, ...ports } : spec, { signal });
  }
  step.warn(`the image changed: machine "${name}" is made anew, what was on its /var is gone`);
  if (existing.state === 'running') await stopMachine(name);
  await destroyMachine(name);
  return startMachine(options.toolbox, await machineSpec(options), { signal });
}

/** withNode asks a started node. */
export async function withNode<T>(node: StartedNode, ask: (client: NodeClient) => Promise<T>): Promise<T> {
  using client = await connectTo(node.context, CALL_TIMEOUT_MS);
  return await ask(client);
}

async function machineSpec(options: StartNodeOptions): Promise<MachineSpec> {
  const { keys, secureBoot, cluster } = options;
  const authorityPem = keys.signers['api-authority'].certificatePem;
  return {
    name: options.name,
    disk: { kind: 'raw', path: options.diskPath },
    memoryMiB: options.memoryMiB,
    cpus: options.cpus,
    apiPort: options.apiPort,
    tpm: true,
    machineConfig: machineConfig(options.name, authorityPem, cluster),
    ...(cluster && { clusterCard: cluster.card, extraDrives: cluster.drives }),
    ...(cluster?.servesKubernetes && { kubernetesPort: 0 }),
    ...(secureBoot
      ? { firmware: 'secure-boot' as const, certificates: await firmwareCertificates(options) }
      : { firmware: 'uefi' as const }),
  };
}

/** JSON is YAML, and it quotes a certificate's line breaks. */
function machineConfig(name: string, authorityPem: string, cluster: ClusterPlace | undefined): string {
  const documents = [
    { kind: 'Machine', name },
    { kind: 'ApiAccess', clientAuthorities: [authorityPem] },
    ...(cluster
      ? [{ kind: 'Network', interfaces: [{ mac: cluster.card.mac, addresses: [cluster.address] }] }]
      : []),
  ];
  return documents
    .map((document) => JSON.stringify({ apiVersion: API_VERSION, ...document }))
    .join('\n---\n');
}

async function firmwareCertificates({ keys, keyFolder }: StartNodeOptions) {
  const folder = join(cacheDir(), 'certificates', keys.signers['platform-key'].keyId.slice(0, 16));
  const written = await exportKeys(keyFolder, folder, 'pem');
  const ofRole = (role: string) => written.filter((path) => path.startsWith(join(folder, role)));
  return {
    ownerGuid: keys.ownerGuid,
    pk: join(folder, 'platform-key.crt'),
    kek: join(folder, 'key-exchange-key.crt'),
    db: [...ofRole('boot'), ...ofRole('verity')],
  };
}
