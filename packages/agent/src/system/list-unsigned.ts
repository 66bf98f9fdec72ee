import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ListUnsignedResponseSchema, UnsignedProcessSchema } from '@plinth/api';
import { findOutside, type Mapping } from '../hot-layers/find-mapped.ts';
import { signedDevices } from '../integrity/layer-check.ts';
import { cgroupOwner } from '../kernel/cgroup-owner.ts';
import { readText, type Sys } from '../sys/sys.ts';

const OS_RELEASE = '/usr/lib/os-release';
const PROCESSES_MAXIMUM = 10_000;
const LIMIT_MS = 30_000;

/**
 * listUnsigned tells which processes run code that lies on no signed volume, by their maps.
 * Throws ConnectError FailedPrecondition at the level "open", and hot-layer/unobserved when nothing can be seen.
 */
export async function listUnsigned(sys: Sys): Promise<MessageInitShape<typeof ListUnsignedResponseSchema>> {
  const level = /^PLINTH_EXECUTE=(\w+)$/m.exec((await readText(sys, OS_RELEASE)) ?? '')?.[1] ?? '';
  if (level === 'open')
    throw new ConnectError('the image has the level "open", at which nobody looks', Code.FailedPrecondition);
  const devices = await signedDevices(sys);
  if (devices.length === 0)
    throw new ConnectError(
      'the kernel checked no signature of a volume, so nothing can be told apart',
      Code.FailedPrecondition,
    );
  const { mappings, seen, hidden } = await findOutside(sys, devices, AbortSignal.timeout(LIMIT_MS));
  const processes = groupByProcess(mappings);
  const notObserved = hidden > 0 ? [`processes (${hidden}): the kernel refuses them`] : [];
  if (processes.length > PROCESSES_MAXIMUM)
    notObserved.push(`processes (${processes.length - PROCESSES_MAXIMUM}): more than are listed`);
  return { level, processes: processes.slice(0, PROCESSES_MAXIMUM), lookedAt: seen, notObserved };
}

/** groupByProcess gives each process once, by pid, with all that it maps. Pure. */
export function groupByProcess(
  mappings: readonly Mapping[],
): readonly MessageInitShape<typeof UnsignedProcessSchema>[] {
  const groups = Map.groupBy(mappings, ({ pid }) => pid);
  return [...groups]
    .sort(([a], [b]) => a - b)
    .flatMap(([pid, all]) => {
      const [first] = all;
      if (!first) return [];
      const { unit, podUid, containerId } = cgroupOwner(first.cgroup);
      return {
        ...{ pid, name: first.name, cgroup: first.cgroup, unit, podUid, containerId },
        files: all.flatMap(({ path }) => (path === '' ? [] : [path])).sort(),
        writesCode: all.some(({ path }) => path === ''),
      };
    });
}
