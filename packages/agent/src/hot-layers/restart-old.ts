import { messageOf, PlinthError } from '@plinth/base';
import type { Units } from '../kubernetes/units/run-unit.ts';
import { pause } from '../repeat.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { Sys } from '../sys/sys.ts';
import type { MappedScan } from './find-mapped.ts';
import type { HotLayerReport } from './hot-layer-state.ts';
import { type KnownDevices, planRestarts, type RestartPlan } from './plan-restarts.ts';

/** A service that starts again may start others that were stopped with it: a look shows whether all is done. */
const ROUNDS = 3;
const UNIT_LIMIT_MS = 120_000;
const POLL_MS = 1_000;
const PID1 = 'init.scope';

export interface RestartParts {
  readonly sys: Pick<Sys, 'run' | 'nowMs'>;
  readonly units: Units;
  /** Which processes map one of the files. @throws hot-layer/unobserved */
  find(paths: readonly string[], signal: AbortSignal): Promise<MappedScan>;
}

/** What was restarted, and whether plinthd itself is left to do. */
export interface Restarted {
  readonly report: HotLayerReport;
  readonly restartSelf: boolean;
}

/**
 * restartOld restarts what runs replaced code until nothing does any more, or nothing more can be done: PID 1 first, as it
 * starts the others, then services. It looks, acts, and looks again. @throws hot-layer/unobserved
 */
export async function restartOld(
  parts: RestartParts,
  paths: readonly string[],
  devices: KnownDevices,
  signal: AbortSignal,
): Promise<Restarted> {
  const restarted: string[] = [];
  const failed = new Map<string, string>();
  let scan = await parts.find(paths, signal);
  let plan = planRestarts(scan.mappings, devices);
  for (let round = 1; round <= ROUNDS && hasWork(plan, failed) && !signal.aborted; round++) {
    if (plan.reexecute && !failed.has(PID1)) await attempt(PID1, () => reexecute(parts.sys, signal));
    for (const unit of plan.units)
      if (!failed.has(unit))
        await attempt(unit, () => parts.units.run('restart', unit, { timeoutMs: UNIT_LIMIT_MS, signal }));
    scan = await parts.find(paths, signal);
    plan = planRestarts(scan.mappings, devices);
  }
  const { remaining, restartSelf } = plan;
  const left = scan.mappings.filter(({ device }) => !devices.good.has(device));
  const stubborn = [...plan.units, ...(plan.reexecute ? [PID1] : [])].map((unit) => {
    const reason = failed.get(unit) ?? 'it runs replaced code again after it was restarted';
    failed.set(unit, reason);
    const owner = left.find(({ cgroup }) => cgroup.endsWith(`/${unit}`));
    return {
      ...{ pid: owner?.pid ?? 0, process: owner?.name ?? '', unit, podUid: '', reason },
      paths: [...new Set(left.filter(({ cgroup }) => cgroup.endsWith(`/${unit}`)).map(({ path }) => path))],
    };
  });
  return {
    restartSelf,
    report: {
      endedAtMs: parts.sys.nowMs(),
      restarted: [...new Set(restarted)],
      failed: [...failed].map(([unit, reason]) => `${unit}: ${reason}`.slice(0, 500)),
      remaining: [...remaining.map((one) => ({ ...one, paths: [...one.paths] })), ...stubborn],
      seen: scan.seen,
      hidden: scan.hidden,
    },
  };

  async function attempt(unit: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      restarted.push(unit);
    } catch (reason) {
      if (signal.aborted) throw reason;
      failed.set(unit, messageOf(reason));
    }
  }
}

function hasWork({ reexecute: first, units }: RestartPlan, failed: ReadonlyMap<string, string>): boolean {
  return (first && !failed.has(PID1)) || units.some((unit) => !failed.has(unit));
}

async function reexecute(sys: Pick<Sys, 'run'>, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await sys.run(SYSTEMCTL, ['daemon-reexec'], { timeoutMs: UNIT_LIMIT_MS });
  if (exitCode !== 0)
    throw new PlinthError(
      'hot-layer/failed',
      `Cannot have PID 1 execute itself anew: systemctl ended with ${exitCode}: ${stderr.trim().slice(-300)}, expected 0`,
    );
  // It refuses connections until it has read all its units again.
  const startMs = performance.now();
  while (!signal.aborted && performance.now() - startMs < UNIT_LIMIT_MS) {
    const answer = await sys.run(SYSTEMCTL, ['show', '--property=Version'], { timeoutMs: UNIT_LIMIT_MS });
    if (answer.exitCode === 0) return;
    await pause(POLL_MS, signal);
  }
  throw new PlinthError(
    'hot-layer/failed',
    'Cannot reach PID 1 after it executed itself anew, expected an answer',
  );
}
