import { stat } from 'node:fs/promises';
import { type BootPhase, Verdict } from '@plinth/api';
import { durationMs } from '../client/duration.ts';
import { healthWord } from '../client/health-word.ts';
import type { CommandContext } from '../framework/context.ts';
import { printable } from '../output/printable.ts';
import { type BuildDiskOptions, type BuiltDisk, buildDisk } from './build-disk.ts';
import { keyFolder } from './key-folder.ts';
import { keepMachineReference } from './machine-reference.ts';
import { type StartedNode, type StartNodeOptions, startNode, withNode } from './start-node.ts';
import { waitForHealth } from './wait-for-health.ts';

export type BringUpOptions = BuildDiskOptions &
  Pick<StartNodeOptions, 'name' | 'memoryMiB' | 'cpus' | 'apiPort' | 'secureBoot'> & {
    /** How long the node may take from its first answer to being healthy. */
    readonly healthTimeoutMs: number;
  };

/** What is up, as `plinth up` shows it. */
export interface NodeSummary {
  readonly machine: string;
  readonly wasRunning: boolean;
  readonly imageVersion: string;
  readonly rootHash: string;
  readonly packageCount: number;
  readonly rootSizeBytes: number;
  readonly diskSizeBytes: number;
  readonly accelerator: 'kvm' | 'tcg';
  readonly endpoint: string;
  readonly fingerprint: string;
  readonly health: string;
  /** Checks that do not pass, with what to do. */
  readonly faults: readonly string[];
  readonly bootPhases: readonly { readonly name: string; readonly durationMs: number }[];
}

/** bringUp builds what is missing, starts the machine unless it runs, and waits until the node is healthy. */
export async function bringUp(options: BringUpOptions, context: CommandContext): Promise<NodeSummary> {
  const built = await buildDisk(options, context);
  const { keys, toolbox, image } = built;
  const node = await startNode(
    { ...options, keys, toolbox, diskPath: image.diskPath, keyFolder: keyFolder(options, context.env) },
    context,
  );
  await keepMachineReference(node.machine, image, keys);
  return withNode(node, async (client) => {
    const health = await context.progress.step('Wait until the node is healthy', (step) =>
      waitForHealth(client, options.healthTimeoutMs, context.signal, step),
    );
    const faults = health.checks
      .filter(({ verdict }) => verdict !== Verdict.PASS)
      .map(({ id, observed, fix }) => `${id}: ${printable(observed)}\n  ${printable(fix)}`);
    const { phases } = await client.getBootReport();
    return summarize(built, node, healthWord(health.state), faults, phases);
  });
}

async function summarize(
  { image, lock }: BuiltDisk,
  { machine, context, wasRunning }: StartedNode,
  health: string,
  faults: readonly string[],
  phases: readonly BootPhase[],
): Promise<NodeSummary> {
  return {
    machine: machine.name,
    wasRunning,
    imageVersion: image.version,
    rootHash: image.rootHash,
    packageCount: lock.packages.length,
    rootSizeBytes: image.root.sizeBytes,
    // What the disk takes, not how large it looks: it is mostly holes.
    diskSizeBytes: (await stat(image.diskPath)).blocks * 512,
    accelerator: machine.record.accelerator,
    endpoint: context.endpoint,
    fingerprint: context.fingerprint,
    health,
    faults,
    bootPhases: phases.map(({ name, duration }) => ({ name, durationMs: durationMs(duration) })),
  };
}
