import { join } from 'node:path';
import type { NodeClient } from '@plinth/api';
import { cacheDir } from '@plinth/host';
import {
  destroyMachine,
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
  const { name, diskPath } = options;
  const { progress, signal } = context;
  const credentials = await keepCredentials(options.keys, context.env);
  const existing = (await listMachines()).find((machine) => machine.name === name);
  const wasRunning = existing?.state === 'running' && existing.record.base.path === diskPath;
  const machine = wasRunning
    ? existing
    : await progress.step(`Start machine "${name}"`, async (step) => {
        if (existing && existing.record.base.path !== diskPath) {
          step.warn(`the image changed: machine "${name}" is made anew, what was on its /var is gone`);
          if (existing.state === 'running') await stopMachine(name);
          await destroyMachine(name);
        }
        return startMachine(options.toolbox, await machineSpec(options), { signal });
      });
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

/** withNode asks a started node. */
export async function withNode<T>(node: StartedNode, ask: (client: NodeClient) => Promise<T>): Promise<T> {
  using client = await connectTo(node.context, CALL_TIMEOUT_MS);
  return await ask(client);
}

async function machineSpec(options: StartNodeOptions): Promise<MachineSpec> {
  const { keys, secureBoot } = options;
  const authorityPem = keys.signers['api-authority'].certificatePem;
  return {
    name: options.name,
    disk: { kind: 'raw', path: options.diskPath },
    memoryMiB: options.memoryMiB,
    cpus: options.cpus,
    apiPort: options.apiPort,
    tpm: true,
    machineConfig: machineConfig(options.name, authorityPem),
    ...(secureBoot
      ? { firmware: 'secure-boot' as const, certificates: await firmwareCertificates(options) }
      : { firmware: 'uefi' as const }),
  };
}

/** JSON is YAML, and it quotes a certificate's line breaks. */
function machineConfig(name: string, authorityPem: string): string {
  return JSON.stringify({
    apiVersion: 'plinth.dev/v1alpha1',
    kind: 'MachineConfig',
    metadata: { name },
    api: { clientAuthorities: [authorityPem] },
  });
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
