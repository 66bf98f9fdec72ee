import { extractClaims, parseChangelog } from '../changelog/index.ts';
import type { PackageClaim } from '../feeds/feed-content.ts';
import { changelogKey, type Knowledge } from '../judge/knowledge.ts';
import type { BinaryComponent, FeedState, Inventory } from '../model/index.ts';
import type { SeenOffer, StoredChangelog } from '../store/index.ts';

export const NOW = new Date('2026-11-22T12:00:00.000Z');

/** A binary package of a made-up image; its source is itself unless said otherwise. */
export function binary(
  name: string,
  version: string,
  fields: Partial<BinaryComponent> = {},
): BinaryComponent {
  return {
    ...{ name, version, architecture: 'amd64', source: name, sourceVersion: version },
    ...{ builtUsing: [], staticBuiltUsing: [], filesPresent: 'unknown' },
    provenance: { source: 'dpkg-status', locator: 'status' },
    ...fields,
  };
}

/** An image with these packages. */
export function image(binaries: readonly BinaryComponent[], fields: Partial<Inventory> = {}): Inventory {
  return {
    format: 1,
    subject: {
      kind: 'root',
      name: '/',
      architecture: 'amd64',
      distribution: 'debian-13',
      codename: 'trixie',
    },
    inputs: [],
    binaries,
    goPrograms: [],
    npmModules: [],
    gaps: [],
    ...fields,
  };
}

/** A changelog as packages carry it, one entry a day of November; entries newest first: [version, suite, bullets]. */
export function changelogText(
  source: string,
  entries: readonly (readonly [version: string, suite: string, ...bullets: string[]])[],
  newestDay = 12,
): string {
  return entries
    .map(
      ([version, suite, ...bullets], index) =>
        `${source} (${version}) ${suite}; urgency=medium\n\n${bullets.map((line) => `  * ${line}`).join('\n')}\n\n -- A Person <a@example.org>  ${new Date(Date.UTC(2026, 10, newestDay - index, 10)).toUTCString().replace('GMT', '+0000')}\n`,
    )
    .join('\n');
}

/** What feeds say: offers by suite with the text of their changelogs, and claims. */
export function knowledge(
  offers: readonly (readonly [suite: string, source: string, version: string, changelog?: string])[],
  claims: readonly PackageClaim[] = [],
  feeds: readonly FeedState[] = FRESH,
): Knowledge {
  const changelogs = new Map<string, StoredChangelog>();
  for (const [, source, version, text] of offers) {
    if (text === undefined) continue;
    const entries = parseChangelog(text).map((entry) => ({ ...entry, claims: () => extractClaims(entry) }));
    changelogs.set(changelogKey(source, version), { source, version, state: 'read', detail: '', entries });
  }
  return {
    feeds,
    fixSuites: ['trixie', 'trixie-updates', 'trixie-security'],
    offers: offers.map(
      ([suite, source, version]): SeenOffer => ({
        feed: `debian-index:${suite}`,
        ...{ source, version, binaries: [], changelogIn: [] },
        firstSeen: { indexDate: '2026-11-13T00:00:00.000Z', indexSha256: 'a'.repeat(64) },
      }),
    ),
    changelogs,
    claims,
  };
}

/** Every feed that is needed for packages, fresh. */
export const FRESH: readonly FeedState[] = (
  [
    'debian-index:trixie',
    'debian-index:trixie-updates',
    'debian-index:trixie-security',
    'debian-tracker',
  ] as const
).map((name) => ({ name, condition: 'fresh', validUntil: '2026-11-27T00:00:00.000Z', authenticity: 'none' }));

/** A claim of the tracker about a source in trixie. */
export function trackerClaim(id: string, source: string, fields: Partial<PackageClaim> = {}): PackageClaim {
  return {
    feed: 'debian-tracker',
    ...{ id, aliases: [], state: 'active', ecosystem: 'debian', package: source, release: 'trixie' },
    ranges: [{ introduced: '0' }],
    ...fields,
  };
}
