import { cgroupOwner } from '../kernel/cgroup-owner.ts';
import type { Mapping } from './find-mapped.ts';

/** File systems that replaced files were mapped from, "major:minor". */
export interface KnownDevices {
  /** Those that hold what shall run: what is mapped from there stays. */
  readonly good: ReadonlySet<string>;
  /** Others that were at /usr of this node: the root, former overlays. Pods have file systems of their own beside. */
  readonly former: ReadonlySet<string>;
}

/** A process that still runs replaced code after what can be done was done. */
export interface Remaining {
  readonly pid: number;
  readonly process: string;
  /** "" within pods. */
  readonly unit: string;
  readonly podUid: string;
  readonly paths: readonly string[];
  /** Why it is not restarted, and what ends it. */
  readonly reason: string;
}

/** What has to be done so that nothing runs replaced code, in this order. */
export interface RestartPlan {
  /** PID 1 executes itself anew; its state stays. */
  readonly reexecute: boolean;
  /** Services, sorted. */
  readonly units: readonly string[];
  /** plinthd itself comes last: it has to see the others through. */
  readonly restartSelf: boolean;
  readonly remaining: readonly Remaining[];
}

export const SELF = 'plinthd.service';
const PID1 = 'init.scope';

/** Services whose restart would break others; the first that fits counts. */
const NEVER: readonly (readonly [unit: RegExp, reason: string])[] = [
  [/^dbus(?:-broker)?\.service$/, 'every service would lose the message bus; a reboot ends it'],
  [/^systemd-soft-reboot|^systemd-(?:reboot|poweroff|halt|kexec)\.service$/, 'the system is about to end'],
];

/**
 * planRestarts finds exactly the units that map a replaced file from elsewhere than what holds it as it shall be. Containers are
 * left alone: they have libraries of their own, and only one that was given the node's /usr is told of. Pure.
 */
export function planRestarts(mappings: readonly Mapping[], devices: KnownDevices): RestartPlan {
  const units = new Set<string>();
  const remaining = new Map<number, Remaining>();
  let reexecute = false;
  let restartSelf = false;
  for (const { pid, name, cgroup, device, path } of mappings) {
    if (devices.good.has(device)) continue;
    const { unit, podUid } = cgroupOwner(cgroup);
    if (unit === '' && !devices.former.has(device)) continue; // a file of a container's own
    const stays = (reason: string) => {
      const paths = [...(remaining.get(pid)?.paths ?? []), path];
      remaining.set(pid, { pid, process: name, unit, podUid, paths: [...new Set(paths)], reason });
    };
    const never = NEVER.find(([pattern]) => pattern.test(unit))?.[1];
    if (pid === 1 || unit === PID1) reexecute = true;
    else if (podUid !== '')
      stays('its pod was given the /usr of the node; a pod made anew has the new files');
    else if (unit === '') stays('no unit of the system started it; it ends by itself');
    else if (never !== undefined) stays(never);
    else if (!unit.endsWith('.service'))
      stays('it is no service that can be started again; it ends by itself');
    else if (unit === SELF) restartSelf = true;
    else units.add(unit);
  }
  return {
    reexecute,
    units: [...units].sort(),
    restartSelf,
    remaining: [...remaining.values()].sort((a, b) => a.pid - b.pid),
  };
}

/** isDone tells whether a plan has nothing more to do. */
export function isDone({ reexecute, units, restartSelf }: RestartPlan): boolean {
  return !reexecute && units.length === 0 && !restartSelf;
}
