import { indexFeed } from '../feeds/index-offers.ts';
import { fixSuites } from '../feeds/refresh.ts';
import type { FeedName, ScanReport } from '../model/index.ts';

/**
 * knowsFixes tells whether every source that says since when a fix exists could be asked. Without them a clock may run
 * that nobody sees; what has no fix yet is another question, and no clock of a fix; pure.
 */
export function knowsFixes({
  subject,
  looked,
  feeds,
}: Pick<ScanReport, 'subject' | 'looked' | 'feeds'>): boolean {
  const suites = fixSuites(subject.codename);
  const needed: readonly FeedName[] = [
    ...(looked.binaries > 0 ? suites.map(indexFeed) : []),
    ...(looked.goPrograms > 0 ? (['osv-go'] as const) : []),
    ...(looked.npmModules > 0 ? (['osv-npm'] as const) : []),
  ];
  if (needed.length === 0 || (looked.binaries > 0 && suites.length === 0)) return false;
  return needed.every((name) => feeds.some((feed) => feed.name === name && feed.condition === 'fresh'));
}
