// Stages a release on a disk in a file, as plinthd does, in a process of its own: FILE (JSON of StageOrder). It is bundled and run with
// the flags of plinthd. It prints one line of JSON.
import { readFile, stat } from 'node:fs/promises';
import { nodeSys } from '../../sys/node-sys.ts';
import { openFolder } from '../../sys/state-store.ts';
import { openStager } from '../stage/open-stager.ts';
import { openUpdateStore } from '../stage/update-store.ts';
import type { StageProgress } from '../types.ts';
import { type FileMachineOptions, openFileMachine } from './file-machine.ts';

export interface StageOrder extends FileMachineOptions {
  readonly addresses: readonly string[];
  readonly trustedRootPath: string;
  readonly stateFolder: string;
  readonly bytesPerSecond?: number;
}

export interface StageReport {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Highest resident memory, in bytes, and what it was before. */
  readonly peakBytes: number;
  readonly idleBytes: number;
  /** Longest time in which nothing else had its turn. */
  readonly longestTurnMs: number;
  readonly last: StageProgress | undefined;
  readonly code?: string;
  readonly message?: string;
}

async function main(): Promise<void> {
  const order: StageOrder = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  await stat(order.trustedRootPath);
  const store = await openFolder(order.stateFolder);
  const stager = openStager({
    ...{ sys: nodeSys(), store, updates: openUpdateStore(store), machine: () => openFileMachine(order) },
    ...{
      kubernetesMinors: async () => [],
      trustedRootPath: order.trustedRootPath,
      signal: new AbortController().signal,
    },
  });
  const idleBytes = anonymousBytes(await readFile('/proc/self/status', 'utf8'));
  let [peakBytes, longestTurnMs, beatMs] = [idleBytes, 0, performance.now()];
  const beat = setInterval(() => {
    const nowMs = performance.now();
    longestTurnMs = Math.max(longestTurnMs, nowMs - beatMs - BEAT_MS);
    beatMs = nowMs;
    readFile('/proc/self/status', 'utf8').then((text) => {
      peakBytes = Math.max(peakBytes, anonymousBytes(text));
    });
  }, BEAT_MS);
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  let last: StageProgress | undefined;
  let failure: { code?: string; message?: string } = {};
  try {
    const source = { addresses: order.addresses, channel: 'stable' };
    const limits = order.bytesPerSecond === undefined ? {} : { bytesPerSecond: order.bytesPerSecond };
    for await (const progress of stager.stageUpdate({ source, limits, by: 'a test' })) last = progress;
  } catch (reason) {
    failure = {
      code: reason instanceof Error && 'code' in reason ? String(reason.code) : '',
      message: String(reason),
    };
  }
  clearInterval(beat);
  const { user, system } = process.cpuUsage(startCpu);
  const report: StageReport = {
    ...{
      wallMs: performance.now() - startMs,
      cpuMs: (user + system) / 1000,
      peakBytes,
      idleBytes,
      longestTurnMs,
      last,
    },
    ...failure,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

const BEAT_MS = 20;

function anonymousBytes(status: string): number {
  return Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}

void main();
