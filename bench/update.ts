// What an update costs a node: node bench/update.ts [--megabytes N] [--runs N]
//
// The staging of plinthd, bundled and with its flags (no compiler, 96 MB of heap), against a plain download of the same file by the same
// server to the same disk, in turn; then an update of one small library: bytes on the wire against the blocks that changed.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import {
  bundleStageProcess,
  openLyingServer,
  publishReleases,
  runStageProcess,
  type SampleRelease,
  type StageReport,
  sampleBlocks,
  sampleMedium,
  sampleRelease,
  sampleRepository,
} from '@plinth/agent/testing';
import { median, printConditions, printTable, printTargets } from './lib/figures.ts';

const { values } = parseArgs({ options: { megabytes: { type: 'string' }, runs: { type: 'string' } } });
const megabytes = Number(values.megabytes ?? 96);
const runs = Number(values.runs ?? 3);

const BLOCK = 4096;
const MIB = 1024 * 1024;
const UKI_BYTES = 24 * MIB;
/** 1 Gbit/s. */
const LINK_BYTES_PER_SECOND = 125_000_000;
/** A library of 1.4 MB, compressed anew, in three places, with the directories and inodes it touches. */
const CHANGED_RUNS: readonly (readonly [share: number, blocks: number])[] = [
  [0.11, 210],
  [0.42, 90],
  [0.77, 40],
  [0.02, 2],
  [0.97, 3],
];

const run = promisify(execFile);
const blocks = Math.floor((megabytes * 1e6) / BLOCK);
const sizes = { root: Math.ceil((blocks * BLOCK * 1.3) / MIB) * MIB, verity: 4 * MIB, signature: 16 * 1024 };

const isChanged = (block: number) =>
  CHANGED_RUNS.some(
    ([share, count]) => block >= Math.floor(share * blocks) && block < Math.floor(share * blocks) + count,
  );
const names = Array.from({ length: blocks }, (_, index) => index);
const release = (version: string, name: (block: number) => string | number, ukiBytes = UKI_BYTES) =>
  sampleRelease(version, sampleBlocks(names.map(name)), { ukiBytes });
const running = await release('1.0', (block) => block);
// Its UKI is longer, so that no part of it is taken for one that is there.
const foreign = await release('1.1', (block) => `other ${block}`, UKI_BYTES + 64 * 1024);
const library = await release('1.1', (block) => (isChanged(block) ? `library ${block}` : block));

const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'));
const program = await bundleStageProcess(folder);

/** Stages a release onto a disk that runs the first one. */
async function stage(offered: SampleRelease, bytesPerSecond?: number): Promise<StageReport> {
  await using there = await serve(offered, bytesPerSecond);
  const { disk, esp } = sampleMedium(running, undefined, sizes);
  const [diskPath, espFolder, stateFolder] = [
    join(folder, 'disk'),
    join(folder, 'esp'),
    join(folder, 'state'),
  ];
  for (const path of [espFolder, stateFolder]) await rm(path, { recursive: true, force: true });
  await mkdir(espFolder);
  await writeFile(diskPath, disk, { flush: true });
  for (const [name, bytes] of esp) await writeFile(join(espFolder, name), bytes);
  await writeFile(join(folder, 'root.json'), there.trustedRoot);
  const booted = { rootNumber: 2, version: running.version };
  const order = {
    diskPath,
    espFolder,
    stateFolder,
    booted,
    trustedRootPath: join(folder, 'root.json'),
    addresses: [there.address],
  };
  const report = await runStageProcess(program, folder, order);
  if (!report || report.message) throw new Error(report?.message ?? 'it was killed');
  return report;
}

async function serve(offered: SampleRelease, bytesPerSecond?: number) {
  const repository = sampleRepository();
  publishReleases(repository, [offered]);
  const server = await openLyingServer({
    files: repository.files,
    ...(bytesPerSecond && { bytesPerSecond }),
  });
  const rootPath = [...repository.files.keys()].find((path) => path.includes('x86-64.root.')) ?? '';
  return {
    ...{
      address: server.address,
      trustedRoot: repository.trustedRoot,
      rootUrl: `${server.address}${rootPath}`,
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** A plain download to the disk, flushed at its end; by a Node with its compiler. */
const DOWNLOAD = `
const { createWriteStream } = require('node:fs');
const { get } = require('node:http');
const { pipeline } = require('node:stream/promises');
const start = performance.now();
get(process.argv[1], async (answer) => {
  await pipeline(answer, createWriteStream(process.argv[2], { flush: true, highWaterMark: 1 << 20 }));
  console.log(performance.now() - start);
});`;

async function download(bytesPerSecond?: number): Promise<number> {
  await using there = await serve(foreign, bytesPerSecond);
  const { stdout } = await run(process.execPath, ['-e', DOWNLOAD, there.rootUrl, join(folder, 'download')]);
  return Number(stdout);
}

const mb = (bytes: number) => (bytes / 1e6).toFixed(1);

try {
  const bytes = foreign.root.length;
  const links = [
    { link: '1 Gbit/s', limit: LINK_BYTES_PER_SECOND },
    { link: 'loopback', limit: undefined },
  ];
  const rows: (string | number)[][] = [];
  const ratios: number[] = [];
  const reports: StageReport[] = [];
  for (const { link, limit } of links) {
    const [plainMs, stageMs]: [number[], number[]] = [[], []];
    for (let count = 0; count < runs; count++) {
      plainMs.push(await download(limit));
      const report = await stage(foreign, limit);
      reports.push(report);
      stageMs.push(report.wallMs);
    }
    const staged = bytes + foreign.uki.length;
    const [plain, own] = [bytes / median(plainMs), staged / median(stageMs)];
    ratios.push(plain / own);
    rows.push([link, (plain / 1000).toFixed(0), (own / 1000).toFixed(0), (own / plain).toFixed(2)]);
  }
  printTable(
    `Throughput, MB/s: ${mb(bytes)} MB of image, none of it on the disk `,
    ['link', 'plain download', 'staging, read back', 'ratio'],
    rows,
  );

  const small = await stage(library);
  const changed = names.filter(isChanged).length * BLOCK;
  const full = library.root.length + library.verity.length + library.signature.length + library.uki.length;
  const fetched = small.last?.bytesFetched ?? Number.NaN;
  printTable(
    'An update of one small library',
    ['what', 'MB'],
    [
      ['image, hash tree, signature, UKI', mb(full)],
      ['blocks of the root that changed', mb(changed)],
      ['on the wire', mb(fetched)],
      ['copied on the node', mb(small.last?.bytesCopied ?? 0)],
      ['seconds', (small.wallMs / 1000).toFixed(1)],
    ],
  );
  const memory = Math.max(...reports.map(({ peakBytes, idleBytes }) => peakBytes - idleBytes));
  const turn = Math.max(...reports.map(({ longestTurnMs }) => longestTurnMs));
  printTargets([
    {
      what: 'time for a byte, staging : download, 1 Gbit/s',
      value: ratios[0] ?? Number.NaN,
      atMost: 1.67,
      unit: '',
    },
    {
      what: 'time for a byte, staging : download, loopback',
      value: ratios[1] ?? Number.NaN,
      atMost: 1.67,
      unit: '',
    },
    { what: 'on the wire : image', value: (100 * fetched) / full, atMost: 5, unit: '%' },
    { what: 'on the wire : changed blocks', value: fetched / changed, atMost: 1.2, unit: '' },
    { what: 'memory above idle', value: memory / MIB, atMost: 64, unit: 'MB' },
    { what: 'longest turn', value: turn, atMost: 100, unit: 'ms' },
  ]);
  printConditions();
} finally {
  await rm(folder, { recursive: true, force: true });
}
