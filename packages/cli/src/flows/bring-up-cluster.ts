import { randomBytes } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { type ClusterRecord, changeCluster, growCluster, listMachines, withCluster } from '@plinth/local';
import { changeContexts, contextsPath } from '../client/contexts-file.ts';
import { keepCredentials } from '../client/issue-credentials.ts';
import { clusterActs } from '../cluster/cluster-acts.ts';
import { type ClusterSummary, summarizeCluster } from '../cluster/cluster-summary.ts';
import { keepKubeconfig } from '../cluster/keep-kubeconfig.ts';
import { listKubernetesNodes } from '../cluster/kubernetes-nodes.ts';
import { layerFiles, pickVersion } from '../cluster/layers.ts';
import { leadCluster, type Phase, parallelStarts } from '../cluster/lead-cluster.ts';
import { waitReady } from '../cluster/wait-ready.ts';
import type { CommandContext } from '../framework/context.ts';
import { type BuildDiskOptions, buildDisk } from './build-disk.ts';
import { buildLayers } from './build-kubernetes.ts';
import { keyFolder } from './key-folder.ts';
import { keepMachineReference } from './machine-reference.ts';

export interface BringUpClusterOptions extends BuildDiskOptions {
  readonly name: string;
  readonly controlPlanes: number | undefined;
  readonly workers: number | undefined;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** "1.37.1" or "1.37"; default: what the cluster was made with, the newest for a new one. */
  readonly kubernetes: string | undefined;
  readonly secureBoot: boolean;
}

/** Under emulation a control plane takes minutes to come up; the node's own limits are shorter. */
const ACT_TIMEOUT_MS = 30 * 60_000;
const READY_TIMEOUT_MS = 15 * 60_000;
const LIST_TIMEOUT_MS = 15_000;

/**
 * bringUpCluster builds what is missing, starts the machines of a cluster and leads them in, until every node is ready.
 * What is done already is not done again, so that a second call goes on where the first one stopped.
 * @throws cluster/…, vm/…, api/…, and what building throws
 */
export async function bringUpCluster(
  options: BringUpClusterOptions,
  context: CommandContext,
): Promise<ClusterSummary> {
  const { name, secureBoot } = options;
  const { progress, signal } = context;
  const timed = phaseClock();
  const built = await timed('image', () => buildDisk(options, context));
  const layers = layerFiles(
    await timed('kubernetes', () => buildLayers({ ...options, minors: [] }, context)),
  );
  return withCluster(name, async () => {
    const record = await keepRecord(options, layers);
    await keepCredentials(built.keys, context.env);
    const acts = clusterActs(
      {
        ...{ record, built, layers, secureBoot },
        ...{ keyFolder: keyFolder(options, context.env), actTimeoutMs: ACT_TIMEOUT_MS },
      },
      context,
    );
    const phases = await leadCluster(record, acts, progress, await parallelStarts(context.env));
    const members = new Set(record.members.map((member) => member.name));
    for (const machine of (await listMachines()).filter((each) => members.has(each.name)))
      await keepMachineReference(machine, built.image, built.keys);
    await useFirst(record, context);
    const { path, access } = await progress.step('Write the kubeconfig', () =>
      keepKubeconfig(record, context),
    );
    const names = record.members.map((member) => member.name);
    const nodes = await timed('ready', () =>
      progress.step('Wait until all nodes are ready', (step) =>
        waitReady(names, () => listKubernetesNodes(access, LIST_TIMEOUT_MS), READY_TIMEOUT_MS, signal, step),
      ),
    );
    const [image, kubernetes, ready] = timed.phases;
    const inOrder = [image, kubernetes, ...phases, ready].flatMap((phase) => phase ?? []);
    return summarizeCluster(record, nodes, path, inOrder, built.image);
  });
}

/** keepRecord makes or grows the record; a machine that belongs to nobody is not taken over. */
async function keepRecord(
  options: BringUpClusterOptions,
  layers: readonly { readonly version: string }[],
): Promise<ClusterRecord> {
  const machines = new Set((await listMachines()).map(({ name }) => name));
  const versions = layers.map(({ version }) => version);
  return changeCluster(options.name, (before, others) => {
    if (before && options.kubernetes !== undefined) {
      const wanted = pickVersion(versions, options.kubernetes);
      if (wanted !== before.kubernetesVersion) {
        throw new PlinthError(
          'cluster/bad-spec',
          `Cannot bring up cluster "${before.name}" with Kubernetes ${wanted}: it was made with ${before.kubernetesVersion}`,
          { hint: `Run "plinth kubernetes upgrade --to ${wanted}".` },
        );
      }
    }
    const kubernetesVersion = before?.kubernetesVersion ?? pickVersion(versions, options.kubernetes);
    const chance = { now: new Date(), random: randomBytes(4) };
    const next = growCluster(before, others, { ...options, kubernetesVersion }, chance);
    const stranger = next.members.find(
      (member) => !before?.members.includes(member) && machines.has(member.name),
    );
    if (!stranger) return next;
    throw new PlinthError(
      'cluster/name-taken',
      `Cannot make cluster "${options.name}": machine "${stranger.name}" exists and is in no cluster`,
      { hint: `Run "plinth vm stop ${stranger.name} --wipe", or name another cluster: "plinth up NAME".` },
    );
  });
}

/** Machines start in any order; the commands that follow shall ask the first control plane. */
async function useFirst(record: ClusterRecord, { env }: CommandContext): Promise<void> {
  const first = record.members.find(({ role }) => role === 'control-plane');
  await changeContexts(contextsPath(env), (file) => (first ? { ...file, current: first.name } : file));
}

function phaseClock() {
  const phases: Phase[] = [];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const result = await work();
    phases.push({ name, durationMs: performance.now() - startedMs });
    return result;
  };
  return Object.assign(timed, { phases });
}
