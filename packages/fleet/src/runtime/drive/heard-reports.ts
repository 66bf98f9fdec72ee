import { isNews, reportOf } from '../../decide/node/index.ts';
import { momentMs } from '../../objects/index.ts';
import type { Heard, StoredNodeUpdate } from '../../view/view.ts';

export interface HeardReportsParts {
  nodeUpdate(node: string): StoredNodeUpdate | undefined;
  /** What a node said makes a difference: look at it. */
  changed(node: string): void;
}

export interface HeardReports {
  readonly byNode: ReadonlyMap<string, Heard>;
  hear(node: string, heard: Omit<Heard, 'after'>): void;
  /** Drops what stands in the NodeUpdate by now. */
  settle(node: string): void;
  forget(node: string): void;
}

/** openHeardReports keeps what nodes said until a decision writes it. All of it can be asked again, so a new leader needs none. */
export function openHeardReports({ nodeUpdate, changed }: HeardReportsParts): HeardReports {
  const byNode = new Map<string, Heard>();
  return {
    byNode,
    hear(node, heard) {
      const update = nodeUpdate(node);
      if (update === undefined) return;
      const before = reportOf({ heard: byNode }, update);
      byNode.set(node, { ...heard, after: update.status?.node?.observedAt });
      const { since } = update.status?.progress ?? {};
      // Once in each phase it counts that the node was heard, and not only what it said.
      const isFirst =
        before !== undefined && since !== undefined && momentMs(before.observedAt) < momentMs(since);
      if (isFirst || isNews(heard.report, before)) changed(node);
    },
    settle(node) {
      const update = nodeUpdate(node);
      if (!update || reportOf({ heard: byNode }, update) === update.status?.node) byNode.delete(node);
    },
    forget: (node) => void byNode.delete(node),
  };
}
