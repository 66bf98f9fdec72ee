// How long builds take, against mkosi building the like from the same packages: node bench/build.ts [--runs N]
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeTree } from '@plinth/host';
import { loadOsSpec } from '@plinth/image';
import { openToolbox } from '@plinth/toolbox';
import { type BenchFolder, openBenchFolder } from './lib/bench-folder.ts';
import { buildPlinth, type PlinthBuild, REPOSITORY_OS_DIR, type Stage } from './lib/build-plinth.ts';
import {
  loadNow,
  median,
  printConditions,
  printTable,
  printTargets,
  type Row,
  seconds,
} from './lib/figures.ts';
import { type MkosiBuild, mkosiDisk, timeMkosi } from './lib/mkosi.ts';
import { verifiedImage } from './lib/mkosi-images.ts';

/** What is measured once in each round, one after the other, so that a busy minute does not meet only one of them. */
interface Round {
  readonly full: PlinthBuild;
  readonly unchanged: PlinthBuild;
  readonly oneUnit: PlinthBuild;
  readonly mkosi: MkosiBuild;
  readonly load: string;
}

const CHANGED_UNIT = 'units/plinthd.service';
const INITRD_STEP = 'Building default initrd';

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '2' } } });
await using folder = await openBenchFolder();
const tools = await openToolbox({ name: 'bench-tools' });
const { os: spec } = await loadOsSpec(REPOSITORY_OS_DIR);

console.log('Filling the package caches of both ...');
const first = await plinthFrom(folder, REPOSITORY_OS_DIR, 'warm');
const image = await verifiedImage(spec, folder.keysDir, first.agentPath);
await mkosiDisk(tools, image, folder.mkosiDir(image.name));

const rounds: Round[] = [];
for (let round = 1; round <= Number(options.runs); round++) {
  rounds.push(await measureRound(`round-${round}`));
  console.log(`Round ${round} of ${options.runs}: load ${rounds.at(-1)?.load}`);
}
report(rounds);

async function measureRound(name: string): Promise<Round> {
  const full = await plinthFrom(folder, REPOSITORY_OS_DIR, name);
  const unchanged = await plinthFrom(folder, REPOSITORY_OS_DIR, name);
  const oneUnit = await plinthFrom(folder, await changedOs(folder, name), name);
  await removeTree(join(folder.scratch, name));
  return {
    full,
    unchanged,
    oneUnit,
    mkosi: await timeMkosi(tools, image, folder.mkosiDir(image.name)),
    load: loadNow(),
  };
}

function plinthFrom({ scratch, keysDir }: BenchFolder, osDir: string, name: string): Promise<PlinthBuild> {
  return buildPlinth({ osDir, stagesDir: join(scratch, name), keysDir });
}

/** A copy of os/ in which one unit file has one comment more. */
async function changedOs({ scratch }: BenchFolder, name: string): Promise<string> {
  const osDir = join(scratch, `${name}-os`);
  await cp(REPOSITORY_OS_DIR, osDir, { recursive: true, verbatimSymlinks: true });
  await appendFile(join(osDir, CHANGED_UNIT), `# ${name}\n`);
  return osDir;
}

function report(all: readonly Round[]): void {
  const of = (pick: (round: Round) => number) => median(all.map(pick));
  const full = of(({ full }) => full.wallMs);
  const mkosi = of(({ mkosi }) => mkosi.wallMs);
  const mkosiInitrd = of(({ mkosi }) => stageMs(mkosi.stages, INITRD_STEP));
  const unchanged = of(({ unchanged }) => unchanged.wallMs);
  const oneUnit = of(({ oneUnit }) => oneUnit.wallMs);

  printTable(
    `Wall time in seconds, median of ${all.length}`,
    ['build', 'seconds', 'each'],
    [
      ['Plinth, everything', seconds(full), each(all, ({ full }) => full.wallMs)],
      ['Plinth, one unit changed', seconds(oneUnit), each(all, ({ oneUnit }) => oneUnit.wallMs)],
      ['Plinth, nothing changed', seconds(unchanged), each(all, ({ unchanged }) => unchanged.wallMs)],
      ['mkosi, everything', seconds(mkosi), each(all, ({ mkosi }) => mkosi.wallMs)],
      ['mkosi, without its initrd', seconds(mkosi - mkosiInitrd), ''],
    ],
  );
  printStages(
    'Stages of Plinth, everything (some run beside each other)',
    all.map(({ full }) => full.stages),
  );
  printStages(
    'Stages of Plinth, one unit changed',
    all.map(({ oneUnit }) => oneUnit.stages),
  );
  printStages(
    'Steps of mkosi',
    all.map(({ mkosi }) => mkosi.stages),
  );
  printTargets([
    { what: 'Plinth / mkosi, everything', value: full / mkosi, atMost: 0.5, unit: 'x' },
    { what: 'nothing changed', value: unchanged / 1000, atMost: 2, unit: 's' },
    { what: 'one unit changed / everything', value: oneUnit / full, atMost: 0.25, unit: 'x' },
  ]);
  printConditions([['load after each round', all.map(({ load }) => load).join(' | ')]]);
}

function each(all: readonly Round[], pick: (round: Round) => number): string {
  return all.map((round) => seconds(pick(round))).join(' ');
}

function stageMs(stages: readonly Stage[], title: string): number {
  return stages.find((stage) => stage.title === title)?.ms ?? 0;
}

/** Stages that took at least a tenth of a second in the median. */
function printStages(title: string, runs: readonly (readonly Stage[])[]): void {
  const titles = [...new Set(runs.flatMap((stages) => stages.map((stage) => stage.title)))];
  const rows = titles
    .map((each) => [each, median(runs.map((stages) => stageMs(stages, each)))] as const)
    .filter(([, ms]) => ms >= 100)
    .map(([each, ms]): Row => [each, seconds(ms)]);
  printTable(title, ['stage', 'seconds'], rows);
}
