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
import { type PlinthBoot, prepareRace } from './lib/race-boots.ts';

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
const pairs: { plinth: PlinthBoot; plainMs: number; load: string }[] = [];
for (let pair = 1; pair <= Number(options.pairs); pair++) {
  const plinth = await race.plinth(ours.diskPath);
  const plainMs = await race.plain(theirs);
  pairs.push({ plinth, plainMs, load: loadNow() });
  const times = `Plinth ${seconds(plinth.healthyMs)} s, plain Debian ${seconds(plainMs)} s`;
  console.log(`Pair ${pair} of ${options.pairs}: ${times}; load ${loadNow()}`);
}

const healthyMs = median(pairs.map(({ plinth }) => plinth.healthyMs));
const plainMs = median(pairs.map((pair) => pair.plainMs));
printTable(
  `Seconds from the start of QEMU, median of ${pairs.length} first boots`,
  ['boot', 'seconds', 'each'],
  [
    line('Plinth, API answers', (pair) => pair.plinth.apiReadyMs),
    line('Plinth, API says healthy', (pair) => pair.plinth.healthyMs),
    line('plain Debian, containerd answers', (pair) => pair.plainMs),
  ],
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
printTargets([{ what: 'Plinth healthy / plain Debian', value: healthyMs / plainMs, atMost: 0.7, unit: 'x' }]);
const { kind } = await detectAccelerator();
printConditions([
  ['machine', `${kind}, 2 processors, 2 GiB, UEFI Secure Boot, TPM; both images signed by the same key`],
  ['load after each pair', pairs.map(({ load }) => load).join(' | ')],
]);

function line(what: string, pick: (pair: (typeof pairs)[number]) => number): Row {
  return [what, seconds(median(pairs.map(pick))), pairs.map((pair) => seconds(pick(pair))).join(' ')];
}
