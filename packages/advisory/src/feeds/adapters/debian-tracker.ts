import { z } from 'zod';
import { isPackageName, isPackageVersion } from '../../inventory/debian-fields.ts';
import { type DebianStance, normaliseId, type SeverityLevel } from '../../model/index.ts';
import type { FlawDetail, PackageClaim } from '../feed-content.ts';
import { type Adapter, DAY_MS, feedInvalid, isObject, onlyOne, plainLine, shapedAs } from './adapter.ts';

const release = z.object({
  status: z.enum(['resolved', 'open', 'undetermined']),
  fixed_version: z.string().max(200).optional(),
  urgency: z.string().max(100).optional(),
  nodsa: z.string().max(2_000).optional(),
  nodsa_reason: z.enum(['', 'ignored', 'postponed']).optional(),
});
const flaw = z.object({
  description: z.string().max(100_000).optional(),
  releases: z.record(z.string().max(50), release),
});
const schema = z.record(z.string().max(200), z.record(z.string().max(100), flaw));

/**
 * The Debian security tracker's JSON: package → identifier → release. Five states without a fix are kept apart:
 * open, no-dsa, postponed, ignored, end-of-life; `fixed_version` "0" says that the release never had it.
 */
export const debianTracker: Adapter = {
  name: 'debian-tracker',
  validityMs: 2 * DAY_MS,
  leastRecords: 10_000,
  recognises: (document) => {
    if (!isObject(document)) return false;
    const [first] = Object.values(document);
    const [inner] = isObject(first) ? Object.values(first) : [];
    return isObject(inner) && isObject(inner['releases']);
  },
  read: (documents, date) => {
    const document = onlyOne(documents, 'debian-tracker');
    const packages = Object.entries(shapedAs(schema, document, 'debian-tracker'));
    if (packages.length === 0) throw feedInvalid('debian-tracker', 'it names no package');
    const claims: PackageClaim[] = [];
    const details = new Map<string, FlawDetail>();
    for (const [source, flaws] of packages) {
      if (!isPackageName(source)) continue;
      for (const [name, { description, releases }] of Object.entries(flaws)) {
        const id = normaliseId(name);
        if (id === undefined) continue;
        let urgency = '';
        for (const [codename, entry] of Object.entries(releases)) {
          claims.push({
            ...claimOf(entry),
            id,
            aliases: [],
            state: 'active',
            package: source,
            release: codename,
          });
          urgency ||= entry.urgency ?? '';
        }
        details.set(id, detailOf(id, description, urgency));
      }
    }
    return { date, claims, details: [...details.values()] };
  },
};

function claimOf(entry: z.infer<typeof release>) {
  const { status, fixed_version: fixed } = entry;
  const never = status === 'resolved' && fixed === '0';
  const usable = fixed !== undefined && fixed !== '0' && isPackageVersion(fixed);
  return {
    feed: 'debian-tracker',
    ecosystem: 'debian',
    stance: never ? 'never-affected' : stanceOf(entry),
    ranges: never ? [] : usable ? [{ introduced: '0', fixed }] : [{ introduced: '0' }],
  } as const;
}

function stanceOf({ status, urgency = '', nodsa, nodsa_reason: why }: z.infer<typeof release>): DebianStance {
  if (status === 'resolved') return 'resolved';
  if (status === 'undetermined') return 'undetermined';
  if (urgency === 'end-of-life') return 'end-of-life';
  if (why === 'ignored' || why === 'postponed') return why;
  if (nodsa !== undefined) return 'no-dsa';
  return urgency === 'unimportant' ? 'unimportant' : 'open';
}

/** Debian's urgency is a word for its own queue; it is the tracker's severity and no more. */
const LEVELS: Readonly<Record<string, SeverityLevel>> = {
  high: 'high',
  medium: 'medium',
  low: 'low',
  unimportant: 'none',
};

function detailOf(id: string, description: string | undefined, urgency: string): FlawDetail {
  const level = LEVELS[urgency.replace(/\*+$/, '')];
  return {
    feed: 'debian-tracker',
    ...{ id, aliases: [], state: 'active' },
    ...(description === undefined ? {} : { title: plainLine(description) }),
    severities: level === undefined ? [] : [{ source: 'debian-tracker', level }],
  };
}
