import type { MessageInitShape } from '@bufbuild/protobuf';

import type { CgroupSchema, ListCgroupsResponseSchema } from '@plinth/api';
import { inParallel } from '../in-parallel.ts';
import { cgroupOwner } from '../kernel/cgroup-owner.ts';
import { parseCounters } from '../kernel/counters.ts';
import { pause } from '../repeat.ts';
import { uptimeMs } from '../reports/boot-report.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { readPressure } from './get-resources.ts';
import { openObservation } from './observing.ts';
import { durationFromUs } from './times.ts';

/** Where the one tree of version 2 is mounted. */
export const CGROUPS = '/sys/fs/cgroup';
const CGROUPS_MAXIMUM = 2_000;
/** How many are looked through at most. */
const WALK_MAXIMUM = 20_000;
const AT_ONCE = 8;
/** Files of a control group begin with the name of their controller; systemd names no unit like that (systemd.unit(5)). */
const FILE = /^(?:cgroup|cpu|cpuset|io|memory|pids|hugetlb|rdma|misc|irq|dmem|blkio)\./;
/** Below a service lies what it does with itself. */
const LEAF = /\.(?:service|scope)$/;

export interface CgroupOptions {
  /** 0: the use of processors is not measured. */
  readonly sampleMs: number;
  /** Also what lies below pods. */
  readonly containers: boolean;
  readonly signal: AbortSignal;
}

type CgroupShape = MessageInitShape<typeof CgroupSchema>;

/** listCgroups walks the tree of control groups and reads what each uses. @param root where the tree is mounted */
export async function listCgroups(
  sys: Sys,
  options: CgroupOptions,
  root: string = CGROUPS,
): Promise<MessageInitShape<typeof ListCgroupsResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const paths =
    (await attempt('control groups', () =>
      walkCgroups(sys, root, options.containers ? descend : stopAtPods),
    )) ?? [];
  const shown = paths.slice(0, CGROUPS_MAXIMUM);
  const found = await inParallel(shown, AT_ONCE, (path) => readCgroup(sys, root, path));
  const cgroups = found.filter((one) => one !== undefined);
  if (options.sampleMs > 0) {
    const fromMs = await uptimeMs(sys);
    await pause(options.sampleMs, options.signal);
    const later = await inParallel(cgroups, AT_ONCE, (one) => cpuUs(sys, `${root}${one.shape.path ?? ''}`));
    const tookUs = ((await uptimeMs(sys)) - fromMs) * 1000;
    for (const [index, one] of cgroups.entries()) {
      const [before, after] = [one.cpuUs, later[index]];
      if (before !== undefined && after !== undefined && tookUs > 0)
        one.shape = { ...one.shape, cpu: Math.max(0, (after - before) / tookUs) };
    }
  }
  return {
    cgroups: cgroups.map(({ shape }) => shape),
    total: cgroups.length + paths.length - shown.length,
    notObserved,
  };
}

function descend(): boolean {
  return true;
}

function stopAtPods(path: string): boolean {
  return cgroupOwner(path).podUid === '' && !LEAF.test(path);
}

/**
 * walkCgroups gives the paths of the tree, parents before children, "/" first.
 * @param below whether to look below a group
 */
export async function walkCgroups(
  sys: Pick<Sys, 'readDir'>,
  root: string,
  below: (path: string) => boolean,
): Promise<readonly string[]> {
  const names = await sys.readDir(root);
  if (!names.includes('cgroup.controllers')) throw new Error(`${root} is no tree of version 2`);
  const found: string[] = [];
  const visit = async (path: string, entries: readonly string[]): Promise<void> => {
    found.push(path === '' ? '/' : path);
    for (const name of entries.filter((entry) => !FILE.test(entry))) {
      if (found.length >= WALK_MAXIMUM) return;
      const child = `${path}/${name}`;
      if (!below(child)) found.push(child);
      // A group may end while it is looked at.
      else await visit(child, await sys.readDir(`${root}${child}`).catch(() => []));
    }
  };
  await visit('', names);
  return found;
}

/** Undefined when the group has ended. */
async function readCgroup(
  sys: Sys,
  root: string,
  path: string,
): Promise<{ shape: CgroupShape; readonly cpuUs: number | undefined } | undefined> {
  const folder = `${root}${path === '/' ? '' : path}`;
  const text = (file: string) => readText(sys, `${folder}/${file}`).catch(() => undefined);
  const number = async (file: string) => wholeNumber(await text(file));
  const usedUs = await cpuUs(sys, folder);
  const [memoryBytes, memoryLimitBytes, tasks] = [
    await number('memory.current'),
    await number('memory.max'),
    await number('pids.current'),
  ];
  const oomKills = parseCounters((await text('memory.events')) ?? '').get('oom_kill');
  if (
    usedUs === undefined &&
    tasks === undefined &&
    path !== '/' &&
    (await text('cgroup.type')) === undefined
  )
    return undefined;
  const pressure = await readPressure(sys, (resource) => `${folder}/${resource}.pressure`).catch(() => []);
  return {
    cpuUs: usedUs,
    shape: {
      ...{ path, depth: path === '/' ? 0 : path.split('/').length - 1, pressure },
      podUid: cgroupOwner(path).podUid,
      ...(memoryBytes !== undefined && { memoryBytes }),
      ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
      ...(usedUs !== undefined && { cpuTime: durationFromUs(usedUs) }),
      ...(tasks !== undefined && { tasks }),
      ...(oomKills !== undefined && { oomKills: BigInt(oomKills) }),
    },
  };
}

/** "max" is no bound. */
function wholeNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

async function cpuUs(sys: Sys, folder: string): Promise<number | undefined> {
  const text = await readText(sys, `${folder}/cpu.stat`).catch(() => undefined);
  return parseCounters(text ?? '').get('usage_usec');
}
