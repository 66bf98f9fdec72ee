// How long a boot takes to a healthy API, against a plain Debian to a containerd that answers, on the same machine:
// node bench/boot.ts [--pairs N]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BootPhase } from '@plinth/api';
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
  type Row,
  seconds,
} from './lib/figures.ts';
import { mkosiDisk } from './lib/mkosi.ts';
import { plainImage } from './lib/mkosi-images.ts';
import { type BootCost, type PlinthBoot, prepareRace } from './lib/race-boots.ts';

interface Pair {
  readonly plinth: PlinthBoot;
  readonly plain: BootCost;
  readonly load: string;
}

const { values: options } = parseArgs({ options: { pairs: { type: 'string', default: '3' } } });
await using folder = await openBenchFolder();
const toolbox = await openToolbox();
const tools = await openToolbox({ name: 'bench-tools' });
const { os: spec } = await loadOsSpec(REPOSITORY_OS_DIR);

console.log('Building both images ...');
const { keysDir } = folder;
const stagesDir = join(cacheDir(), 'stages');
const ours = await buildPlinth({ osDir: REPOSITORY_OS_DIR, stagesDir, keysDir });
const theirs = await mkosiDisk(tools, await plainImage(spec, keysDir), folder.mkosiDir('plain'));

const race = await prepareRace(toolbox, keysDir, folder.scratch);
const pairs: Pair[] = [];
for (let pair = 1; pair <= Number(options.pairs); pair++) {
  const plinth = await race.plinth(ours.diskPath);
  const plain = await race.plain(theirs);
  pairs.push({ plinth, plain, load: loadNow() });
  const times = `Plinth ${seconds(plinth.healthy.wallMs)} s, plain Debian ${seconds(plain.wallMs)} s`;
  console.log(`Pair ${pair} of ${options.pairs}: ${times}; load ${loadNow()}`);
}

const moments: readonly [string, (pair: Pair) => BootCost][] = [
  ['Plinth, API answers', ({ plinth }) => plinth.apiReady],
  ['Plinth, API says healthy', ({ plinth }) => plinth.healthy],
  ['plain Debian, containerd answers', ({ plain }) => plain],
];
printTable(
  `Seconds from the start of QEMU, median of ${pairs.length} first boots`,
  ['boot', 'wall', 'processor', 'each wall', 'each processor'],
  moments.map(([what, pick]): Row => {
    const wall = pairs.map((pair) => pick(pair).wallMs);
    const processor = pairs.map((pair) => pick(pair).processorMs);
    return [what, seconds(median(wall)), seconds(median(processor)), list(wall), list(processor)];
  }),
);
const report = pairs.at(-1)?.plinth.report;
const duration = (time: BootPhase['duration']) =>
  (Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9).toFixed(1);
printTable(
  'Phases of the last boot of Plinth',
  ['phase', 'seconds'],
  (report?.phases ?? []).map((phase) => [phase.name, duration(phase.duration)]),
);
printTable(
  'Its slowest units',
  ['unit', 'seconds'],
  (report?.slowestUnits ?? []).map(({ unit, duration: time }) => [unit, duration(time)]),
);
printTargets([
  {
    what: 'Plinth healthy / plain Debian, wall',
    value: ratio(({ wallMs }) => wallMs),
    atMost: 0.7,
    unit: 'x',
  },
  { what: 'the same, processor', value: ratio(({ processorMs }) => processorMs), atMost: 0.7, unit: 'x' },
]);
const { kind } = await detectAccelerator();
printConditions([
  ['machine', `${kind}, 2 processors, 2 GiB, UEFI Secure Boot, TPM; both images signed by the same key`],
  ['load after each pair', pairs.map(({ load }) => load).join(' | ')],
]);

function ratio(of: (cost: BootCost) => number): number {
  return median(pairs.map(({ plinth }) => of(plinth.healthy))) / median(pairs.map(({ plain }) => of(plain)));
}

function list(timesMs: readonly number[]): string {
  return timesMs.map(seconds).join(' ');
}
