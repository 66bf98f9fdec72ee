// Power-on to the first pod, Plinth against a plain Debian that kubeadm sets up with the same programs, on one machine:
// node bench/cluster.ts [--pairs N] [--memory MIB] [--second-boot] [--only plinth|plain]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDir } from '@plinth/host';
import { loadOsSpec } from '@plinth/image';
import { detectAccelerator } from '@plinth/local';
import { openToolbox } from '@plinth/toolbox';
import { openBenchFolder } from './lib/bench-folder.ts';
import { buildPlinth, REPOSITORY_OS_DIR } from './lib/build-plinth.ts';
import {
  loadNow,
  median,
  printConditions,
  printTable,
  printTargets,
  seconds,
  type Target,
} from './lib/figures.ts';
import { kubeadmImage } from './lib/kubeadm-image.ts';
import { newestLayer } from './lib/kubernetes-layer.ts';
import { mkosiDisk } from './lib/mkosi.ts';
import { type ClusterBoot, type ClusterRun, prepareClusterRace } from './lib/race-clusters.ts';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1' },
    memory: { type: 'string', default: '2048' },
    'second-boot': { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const memoryMiB = Number(options.memory);
await using folder = await openBenchFolder();
const { keysDir } = folder;
const toolbox = await openToolbox();
const tools = await openToolbox({ name: 'bench-tools' });
const { os: spec } = await loadOsSpec(REPOSITORY_OS_DIR);

console.log('Building both machines ...');
const stagesDir = join(cacheDir(), 'stages');
const ours = await buildPlinth({ osDir: REPOSITORY_OS_DIR, stagesDir, keysDir });
const { layer, containerd } = await newestLayer(toolbox, keysDir);
const plainMachine = options.only === 'plinth' ? undefined : await buildPlain();

const race = await prepareClusterRace({
  ...{ toolbox, keysDir, layer, memoryMiB },
  folder: folder.scratch,
  secondBoot: options['second-boot'],
});
const plinthRuns: ClusterRun[] = [];
const plainRuns: ClusterRun[] = [];
const loads: string[] = [];
for (let pair = 1; pair <= Number(options.pairs); pair++) {
  if (options.only !== 'plain') plinthRuns.push(await told('Plinth', race.plinth(ours.diskPath)));
  if (plainMachine)
    plainRuns.push(await told('plain', race.plain(plainMachine.diskPath, plainMachine.adminConf)));
  loads.push(loadNow());
}

for (const [name, run] of [
  ['Plinth', plinthRuns.at(-1)],
  ['plain Debian', plainRuns.at(-1)],
] as const) {
  if (run) printMoments(`${name}: seconds from the start of QEMU, first boot`, run.first);
  if (run?.second) printMoments(`${name}: the same, second boot`, run.second);
}
printTargets([
  ...compare('first boot to first pod, Plinth / plain, wall', 0.5, ({ first }) => first.podRunningMs),
  ...compare('the same, processor', 0.5, ({ first }) => first.processorMs),
  ...compare('second boot to its pod, wall', 0.5, ({ second }) => second?.podRunningMs),
  ...compare('the same, processor', 0.5, ({ second }) => second?.processorMs),
  ...compare('memory in use before workloads', 1, ({ memoryBytes }) => memoryBytes),
]);
printTable(
  'Memory in use before workloads, as the kubelet counts it',
  ['machine', 'MiB'],
  (
    [
      ['Plinth', plinthRuns],
      ['plain Debian', plainRuns],
    ] as const
  )
    .filter(([, runs]) => runs.length > 0)
    .map(([name, runs]) => [name, Math.round(median(runs.map((run) => run.memoryBytes)) / 2 ** 20)]),
);
const { kind } = await detectAccelerator();
printConditions([
  ['machine', `${kind}, 2 processors, ${memoryMiB} MiB, UEFI Secure Boot, TPM; signed by the same key`],
  [
    'Kubernetes',
    `${layer.manifest.kubernetes}; the same programs, add-ons and first pod in both; no registry`,
  ],
  ['times of node and pod', "the cluster's own, whole seconds, set right by its clock"],
  ['load after each pair', loads.join(' | ')],
]);

async function buildPlain() {
  const plainFolder = folder.mkosiDir('kubeadm');
  const inputs = { spec, keysDir, layer, containerd, toolbox, folder: plainFolder };
  const { image, adminConf } = await kubeadmImage(inputs);
  return { diskPath: await mkosiDisk(tools, image, plainFolder), adminConf };
}

async function told(name: string, running: Promise<ClusterRun>): Promise<ClusterRun> {
  const run = await running;
  const again = run.second ? `, again ${seconds(run.second.podRunningMs)} s` : '';
  console.log(`${name}: first pod after ${seconds(run.first.podRunningMs)} s${again}; load ${loadNow()}`);
  return run;
}

function printMoments(title: string, { moments, processorMs }: ClusterBoot): void {
  const rows = moments.map(({ what, wallMs }) => [what, seconds(wallMs)]);
  printTable(
    title,
    ['moment', 'wall'],
    [...rows, ['processor time of QEMU until then', seconds(processorMs)]],
  );
}

/** The ratio of medians; nothing when one of the machines did not run. */
function compare(what: string, atMost: number, of: (run: ClusterRun) => number | undefined): Target[] {
  const values = (runs: readonly ClusterRun[]) => runs.flatMap((run) => of(run) ?? []);
  const [plinth, plain] = [values(plinthRuns), values(plainRuns)];
  if (plinth.length === 0 || plain.length === 0) return [];
  return [{ what, value: median(plinth) / median(plain), atMost, unit: 'x' }];
}
