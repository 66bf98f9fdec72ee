import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GetUpdateResponse, NodeClient, UpdateStage } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { type MachineStatus, readConsole } from '@plinth/local';
import { publishRelease, serveRepository } from '@plinth/publish';
import type { BootLab } from '../boot-lab.ts';
import { HOST_SEEN_BY_GUEST } from '../guest-network.ts';
import { joinConfig } from '../owner.ts';
import { makeRelease, type ReleaseRecipe } from './make-release.ts';

const DAY_MS = 24 * 3600_000;
const POLL_MS = 2_000;

/** A repository of test releases that machines reach. */
export interface UpdateLab extends AsyncDisposable {
  readonly repoDir: string;
  /** As the guest writes it. */
  readonly address: string;
  /** Builds a release and offers it in the channel stable. */
  publish(recipe: ReleaseRecipe): Promise<void>;
  /** The machine config of a node that updates from here. */
  machineConfig(name: string, health?: Readonly<Record<string, unknown>>): string;
}

/** openUpdateLab makes an empty repository and serves it on this computer's loopback address. */
export async function openUpdateLab(lab: BootLab): Promise<UpdateLab> {
  const repoDir = join(lab.scratch, 'repository');
  const server = await serveRepository({ repoDir });
  const address = guestAddress(server.url);
  return {
    repoDir,
    address,
    publish: async (recipe) => publishFolder(lab, repoDir, await makeRelease(lab, recipe)),
    machineConfig: (name, health) => updatingConfig(lab, name, [address], health),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Offers a release in the channel stable, whatever it is: a bad one has to get to a node too. */
async function publishFolder(lab: BootLab, repoDir: string, releaseDir: string): Promise<void> {
  const signing = { repoDir, keysDir: lab.keysFolder, timestampLifetimeMs: DAY_MS };
  await publishRelease({ ...signing, releaseDir, channel: 'stable' });
}

/** guestAddress is the address of a server on this computer as a machine writes it. */
export function guestAddress(url: string): string {
  return url.replace('127.0.0.1', HOST_SEEN_BY_GUEST);
}

/** updatingConfig is the machine config of a node with an UpdatePolicy. */
export function updatingConfig(
  lab: BootLab,
  name: string,
  sources: readonly string[],
  health: Readonly<Record<string, unknown>> = {},
): string {
  const policy = { kind: 'UpdatePolicy', channel: 'stable', sources, health };
  return joinConfig(lab.owner.machineConfig(name), policy);
}

/** stageWhole stages a version and gives the last word about it. */
export async function stageWhole(client: NodeClient, version: string): Promise<UpdateStage> {
  let last: UpdateStage | undefined;
  for await (const stage of client.update.stage(version)) last = stage;
  if (!last) throw new Error(`staging ${version} said nothing`);
  return last;
}

/** untilUpdate asks the node, over its reboots, until its updates are as wanted. */
export async function untilUpdate(
  machine: MachineStatus,
  client: NodeClient,
  what: string,
  isWanted: (update: GetUpdateResponse) => boolean,
  timeoutMs: number,
): Promise<GetUpdateResponse> {
  const deadline = performance.now() + timeoutMs;
  let last = 'nothing';
  for (;;) {
    try {
      const update = await client.update.get();
      if (isWanted(update)) return update;
      last = JSON.stringify(update, (_key, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
    } catch (reason) {
      // While the machine restarts nobody answers.
      if (!(reason instanceof PlinthError && reason.retryable)) throw reason;
    }
    if (performance.now() > deadline) {
      const console = await readConsole(machine);
      throw new Error(`not ${what} in time; the node said ${last}\n${console.slice(-25).join('\n')}`);
    }
    await sleep(POLL_MS);
  }
}
