import type { CountOrPercent } from '../../objects/index.ts';
import type { Requests } from '../../view/view.ts';
import { countOf } from '../count.ts';
import type { Member } from '../rollout/pool.ts';

const RESOURCES = ['cpuMilli', 'memoryBytes', 'pods'] as const;

/** Room for the pods of nodes that are emptied. `undefined`: nobody counted, so one node at a time is all that is careful. */
export interface Headroom {
  /** Whether the pods of one more node fit on the nodes that stay, besides those of nodes taken before. */
  fits(member: Member): boolean;
  take(member: Member): void;
}

/** Whether all that headroom needs is known: the requests on all nodes that are in service. */
export function isCounted(members: readonly Member[]): boolean {
  return members.every(
    ({ node, isDown, standing }) => isDown || standing === 'lost' || node.requested !== undefined,
  );
}

/**
 * headroomOf keeps account of the room on nodes in service (reserve taken off: a share of what moves, or whole nodes' worth)
 * and of what has to move there. Nodes in flight offer nothing, and what is still on them has to move.
 */
export function headroomOf(members: readonly Member[], reserve: CountOrPercent): Headroom {
  const free: Record<(typeof RESOURCES)[number], number> = { cpuMilli: 0, memoryBytes: 0, pods: 0 };
  const moving: typeof free = { cpuMilli: 0, memoryBytes: 0, pods: 0 };
  const staying = members.filter(
    ({ isDown, standing }) => !isDown && standing !== 'in-flight' && standing !== 'lost',
  );
  for (const { node } of staying)
    for (const key of RESOURCES) free[key] += roomOn(node.allocatable, node.requested, key);
  for (const { node, standing } of members)
    if (standing === 'in-flight') for (const key of RESOURCES) moving[key] += node.requested?.[key] ?? 0;
  const factor = typeof reserve === 'number' ? 1 : 1 + countOf(reserve, 100, 'down') / 100;
  if (typeof reserve === 'number' && staying.length > 0)
    for (const key of RESOURCES) {
      const sum = staying.reduce((total, { node }) => total + node.allocatable[key], 0);
      free[key] -= (sum / staying.length) * reserve;
    }
  const change = ({ node, isDown }: Member, key: (typeof RESOURCES)[number]) => ({
    free: isDown ? 0 : roomOn(node.allocatable, node.requested, key),
    moving: node.requested?.[key] ?? 0,
  });
  return {
    fits: (member) =>
      RESOURCES.every((key) => {
        const by = change(member, key);
        return (moving[key] + by.moving) * factor <= free[key] - by.free;
      }),
    take: (member) => {
      for (const key of RESOURCES) {
        const by = change(member, key);
        free[key] -= by.free;
        moving[key] += by.moving;
      }
    },
  };
}

function roomOn(
  allocatable: Requests,
  requested: Requests | undefined,
  key: (typeof RESOURCES)[number],
): number {
  return requested === undefined ? 0 : Math.max(0, allocatable[key] - requested[key]);
}
