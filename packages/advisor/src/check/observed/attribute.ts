import type { AttributedRefusal, ContainerPlace, Refusal } from './refusal.ts';

/** What lives on a node. Times in milliseconds since 1970, NaN when they are not known. */
export interface LiveNode {
  readonly processes: readonly {
    readonly pid: number;
    readonly startedMs: number;
    /** Empty outside of containers. */
    readonly containerId: string;
    /** Empty for pods. */
    readonly unit: string;
  }[];
  readonly containers: readonly {
    readonly id: string;
    readonly namespace: string;
    readonly pod: string;
    readonly name: string;
    /** Id of the sandbox. */
    readonly podId: string;
    readonly createdMs: number;
  }[];
}

/** Clocks of a process' begin are in hundredths of a second, and the time of the boot in whole ones. */
const CLOCK_SLACK_MS = 1_000;

/**
 * attributeRefusals says whose refusals of the kernel are: by the process id while that very process lives, else by the
 * categories of its SELinux context, which the containers of one pod share, when another refusal of that pod told whose
 * they are. Whatever is left stays without a place. Pure.
 */
export function attributeRefusals(refusals: readonly Refusal[], live: LiveNode): AttributedRefusal[] {
  const processes = new Map(live.processes.map((each) => [each.pid, each]));
  const containers = new Map(live.containers.map((each) => [each.id, each]));
  const byPid = refusals.map((refusal) => {
    const process = refusal.pid > 0 ? processes.get(refusal.pid) : undefined;
    // A process that began later only has the same number. NaN is never before.
    if (!process || !(process.startedMs <= refusal.timeMs + CLOCK_SLACK_MS)) return undefined;
    return { unit: process.unit, container: containers.get(process.containerId) };
  });
  const podOf = new Map<string, LiveNode['containers'][number] | 'several'>();
  for (const [index, refusal] of refusals.entries()) {
    const container = byPid[index]?.container;
    const categories = categoriesOf(refusal.sourceContext);
    if (!container || categories === '') continue;
    const known = podOf.get(categories);
    podOf.set(
      categories,
      known && (known === 'several' || known.podId !== container.podId) ? 'several' : container,
    );
  }
  const bornMs = new Map<string, number>();
  for (const { podId, createdMs } of live.containers)
    bornMs.set(podId, Math.min(bornMs.get(podId) ?? Number.POSITIVE_INFINITY, createdMs));
  return refusals.map((refusal, index): AttributedRefusal => {
    const found = byPid[index];
    if (found?.container) return { ...refusal, unit: '', place: placeOf(found.container) };
    if (found) return { ...refusal, unit: found.unit };
    const pod = podOf.get(categoriesOf(refusal.sourceContext));
    // Categories are given anew when a pod is gone: before this one they were another's.
    if (pod === undefined || pod === 'several' || !((bornMs.get(pod.podId) ?? Number.NaN) <= refusal.timeMs))
      return { ...refusal, unit: '' };
    return { ...refusal, unit: '', place: { ...placeOf(pod), container: '' } };
  });
}

function placeOf({ namespace, pod, name }: LiveNode['containers'][number]): ContainerPlace {
  return { namespace, pod, container: name };
}

/** "c1,c2" of "system_u:system_r:container_t:s0:c1,c2"; empty without any. */
function categoriesOf(context: string): string {
  return /^[^:]+:[^:]+:[^:]+:[^:]+:(c\d[c\d.,]*)$/.exec(context)?.[1] ?? '';
}
