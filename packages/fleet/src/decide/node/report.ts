import type { NodeReport } from '../../objects/index.ts';
import type { FleetView, StoredNodeUpdate } from '../../view/view.ts';

/**
 * reportOf is what a node said last: to this operator, or as it stands in its NodeUpdate. What was said of another Node, or when
 * another release was asked about, does not count, nor what was said before another operator wrote down something else.
 */
export function reportOf(view: Pick<FleetView, 'heard'>, update: StoredNodeUpdate): NodeReport | undefined {
  const written = update.status?.node;
  const heard = view.heard?.get(update.name);
  const counts =
    heard?.nodeUid === update.spec.nodeUid &&
    heard.release === update.spec.target?.release &&
    heard.after === written?.observedAt;
  return counts ? heard.report : written;
}

/** isNews tells whether a report says anything that the one before did not, but for when. */
export function isNews(report: NodeReport, before: NodeReport | undefined): boolean {
  return before === undefined || timeless(report) !== timeless(before);
}

function timeless({ observedAt: _, ...rest }: NodeReport): string {
  return JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
}
