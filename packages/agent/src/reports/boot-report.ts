import { messageOf } from '@plinth/base';
import { parseKeyValues } from '../kernel/key-values.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import { SYSTEMCTL } from './versions.ts';

/** A named stretch of time. */
export interface Stretch {
  readonly name: string;
  readonly durationMs: number;
}

/** Where the time of this boot went. */
export interface BootReport {
  /** Empty when it was not observed. */
  readonly bootId: string;
  /** Undefined when it was not observed. */
  readonly kernelStartedAtMs: number | undefined;
  readonly phases: readonly Stretch[];
  readonly finished: boolean;
  readonly slowestUnits: readonly Stretch[];
  readonly crashRecords: readonly string[];
  /** What is missing above because it could not be observed, each with the reason: an empty list alone would read as "none". */
  readonly notObserved: readonly string[];
}

const MANAGER_PROPERTIES = [
  'FirmwareTimestampMonotonic',
  'LoaderTimestampMonotonic',
  'InitRDTimestampMonotonic',
  'UserspaceTimestampMonotonic',
  'FinishTimestampMonotonic',
];
const UNIT_PROPERTIES = ['Id', 'InactiveExitTimestampMonotonic', 'ActiveEnterTimestampMonotonic'];
const SLOWEST_UNITS = 15;
/** systemd-pstore moves records from the first folder to the second. */
export const CRASH_FOLDERS = ['/sys/fs/pstore', '/var/lib/systemd/pstore'];

/**
 * collectBootReport asks systemd and the kernel. Never throws: a source that does not answer (PID 1 too busy for systemctl's
 * ten seconds, a folder on a broken /var) costs its own part of the report only.
 */
export async function collectBootReport(sys: Sys): Promise<BootReport> {
  const notObserved: string[] = [];
  const attempt = async <T>(what: string, work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (reason) {
      notObserved.push(`${what}: ${messageOf(reason)}`);
      return undefined;
    }
  };
  const [manager, units, bootId, upMs, ...records] = await Promise.all([
    attempt('phases', show(sys, MANAGER_PROPERTIES, [])),
    // No devices: they count from the first wait for them, which is the whole boot, and say nothing of what took it.
    attempt('slowest units', show(sys, UNIT_PROPERTIES, ['--', '*.service', '*.mount', '*.swap'])),
    attempt('boot id', readText(sys, '/proc/sys/kernel/random/boot_id')),
    attempt('start of the kernel', uptimeMs(sys)),
    ...CRASH_FOLDERS.map((folder) => attempt(`crash records in ${folder}`, listDir(sys, folder))),
  ]);
  const phases =
    manager === undefined
      ? { phases: [], finished: false }
      : bootPhases(parseKeyValues(manager), (upMs ?? 0) * 1000);
  return {
    bootId: bootId ?? '',
    kernelStartedAtMs: upMs === undefined ? undefined : sys.nowMs() - upMs,
    ...phases,
    slowestUnits: units === undefined ? [] : slowestUnits(units),
    crashRecords: records.flatMap((names) => names ?? []),
    notObserved: notObserved.sort(),
  };
}

/** uptimeMs is the time since the kernel started. */
export async function uptimeMs(sys: Sys): Promise<number> {
  const text = (await sys.readFile('/proc/uptime')).toString('utf8');
  return Math.round(Number(text.split(' ')[0]) * 1000);
}

/**
 * bootPhases turns the manager's time stamps into durations. Firmware and loader are counted backwards from the
 * start of the kernel, all others forwards (org.freedesktop.systemd1(5), "Properties").
 * @param nowUs microseconds since the kernel started, the end of a userspace phase that still runs
 */
export function bootPhases(
  manager: ReadonlyMap<string, string>,
  nowUs: number,
): Pick<BootReport, 'phases' | 'finished'> {
  const stampUs = (name: string) => Number(manager.get(`${name}TimestampMonotonic`) ?? 0);
  const firmware = stampUs('Firmware');
  const loader = stampUs('Loader');
  const initrd = stampUs('InitRD');
  const userspace = stampUs('Userspace');
  const finish = stampUs('Finish');
  const endUs = finish || nowUs;
  const phases: Stretch[] = [
    { name: 'firmware', durationMs: ms(firmware - loader) },
    { name: 'loader', durationMs: ms(loader) },
    { name: 'kernel', durationMs: ms(initrd || userspace) },
    { name: 'initrd', durationMs: initrd === 0 ? 0 : ms(userspace - initrd) },
    { name: 'userspace', durationMs: ms(endUs - userspace) },
  ];
  return { phases: phases.filter(({ durationMs }) => durationMs > 0), finished: finish > 0 };
}

/** slowestUnits reads blocks of `systemctl show` and ranks units by the time from activation to active. */
export function slowestUnits(text: string): readonly Stretch[] {
  return text
    .split('\n\n')
    .map(parseKeyValues)
    .map((unit) => {
      const started = Number(unit.get('InactiveExitTimestampMonotonic') ?? 0);
      const active = Number(unit.get('ActiveEnterTimestampMonotonic') ?? 0);
      return { name: unit.get('Id') ?? '', durationMs: started === 0 ? 0 : ms(active - started) };
    })
    .filter(({ durationMs }) => durationMs > 0)
    .sort((a, b) => b.durationMs - a.durationMs)
    .slice(0, SLOWEST_UNITS);
}

function ms(us: number): number {
  return Math.max(0, Math.round(us / 1000));
}

async function show(sys: Sys, properties: readonly string[], units: readonly string[]): Promise<string> {
  const args = ['show', '--no-pager', `--property=${properties.join(',')}`, ...units];
  const { exitCode, stdout, stderr } = await sys.run(SYSTEMCTL, args);
  if (exitCode !== 0) throw new Error(`systemctl show ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}
