import type { LedgerStatus, NodePhase } from '../../objects/index.ts';
import type { NodeView, StoredNodeUpdate } from '../../view/view.ts';
import { UPDATE_TAINT } from '../decision.ts';

export type LedgerEntry = LedgerStatus['entries'][number];

/** Phases that are written only after the API server took the removal of our taint. */
const RELEASED: readonly NodePhase[] = [
  'Idle',
  'Queued',
  'Staging',
  'Staged',
  'Soaking',
  'Done',
  'Quarantined',
];

/**
 * isReleased says that the slot may be given to another: the node took this very entry up and is back in service, or it
 * declined the entry. The entry's `since` is compared as a name, never as a time, so no two clocks are.
 */
export function isReleased(entry: LedgerEntry, update: StoredNodeUpdate): boolean {
  const progress = update.status?.progress;
  return (
    progress !== undefined &&
    update.spec.nodeUid === entry.uid &&
    progress.admittedAt === entry.since &&
    RELEASED.includes(progress.phase)
  );
}

/** hasUpdateTaint says that the Node has our taint. */
export function hasUpdateTaint(node: NodeView): boolean {
  return node.taints.some(({ key }) => key === UPDATE_TAINT);
}
