import { deflateSync } from 'node:zlib';
import { type AdvisoryStore, isContained } from '@plinth/advisory';
import { compareDebianVersions } from '@plinth/base';
import type { BinaryPackage } from '@plinth/debian';

/** One row as Debian's tracker has it: a flaw in a source, and the first version of the release that has the fix. */
export interface TrackerRow {
  readonly source: string;
  readonly id: string;
  readonly fixed: string;
  /** Versions of the release's suites that have the fix. */
  readonly fixedVersions: readonly string[];
  /** Version of unstable, from which on the tracker takes the fix for granted; absent: unstable has no such source. */
  readonly unstable?: string;
}

/** An installed package as dpkg's status names it. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly sourceVersion: string;
}

/**
 * trackerRows makes what the tracker would say of these sources out of the changelogs that a store has: every CVE that
 * an entry fixes, and the lowest offer of the release that contains that entry. The tracker knows CVEs only.
 * @param read which identifiers of an entry count: Plinth's own reading, or every one that is named, in the entries newer
 *   than the oldest offer or in the top one
 */
export async function trackerRows(
  store: AdvisoryStore,
  sources: readonly string[],
  suites: readonly string[],
  read: 'fixes' | 'named' | 'named in the top entry',
): Promise<TrackerRow[]> {
  const offers = Map.groupBy(await store.offers(sources), ({ source }) => source);
  const found: TrackerRow[] = [];
  for (const [source, all] of offers) {
    const own = all
      .filter(({ feed }) => suites.some((suite) => feed === `debian-index:${suite}`))
      .sort((a, b) => compareDebianVersions(a.version, b.version));
    const versions = [...new Set(own.map(({ version }) => version))];
    const unstable = all.find(({ feed }) => feed === 'debian-index:sid')?.version;
    const rows = new Map<string, TrackerRow>();
    // Each version's own changelog: one that was made from unstable need not have the entries of the one before.
    for (const version of versions) {
      const entries = (await store.changelog(source, version))?.entries ?? [];
      for (const entry of read === 'named in the top entry' ? entries.slice(0, 1) : entries) {
        const having = versions.filter((version) => isContained(entry.version, version));
        const [fixed] = having;
        if (fixed === undefined) continue;
        for (const { id, role } of entry.claims()) {
          if (!id.startsWith('CVE-') || (read === 'fixes' && role !== 'fixes')) continue;
          const before = rows.get(id);
          const order = before === undefined ? 0 : compareDebianVersions(before.fixed, fixed);
          // Fixed at the first; who does not tell fixes from mentions takes the last that names it.
          if (before && (read === 'fixes' ? order <= 0 : order >= 0)) continue;
          const row = { source, id, fixed, fixedVersions: having };
          rows.set(id, unstable === undefined ? row : { ...row, unstable });
        }
      }
    }
    found.push(...rows.values());
  }
  return found;
}

/**
 * debsecanList writes rows in the form of the tracker's list for debsecan, "VERSION 1", compressed: names, then
 * package, number of the name, flags (source, urgency, remote, fix available), version of unstable, other versions
 * that have the fix; then the binaries of each source.
 */
export function debsecanList(rows: readonly TrackerRow[], installed: readonly Installed[]): Buffer {
  const ids = [...new Set(rows.map(({ id }) => id))].sort();
  const numbers = new Map(ids.map((id, number) => [id, number]));
  const binaries = Map.groupBy(installed, ({ source }) => source);
  const lines = [
    'VERSION 1',
    ...ids.map((id) => `${id},,made from changelogs`),
    '',
    ...rows.map(({ source, id, fixed, fixedVersions, unstable }) => {
      const others = fixedVersions.filter((version) => version !== unstable);
      return `${source},${numbers.get(id) ?? 0},S ?F,${unstable ?? fixed},${others.join(' ')}`;
    }),
    '',
    ...[...binaries].map(([source, of]) => `${source},${of.map(({ name }) => name).join(' ')}`),
    '',
  ];
  return deflateSync(Buffer.from(`${lines.join('\n')}\n`));
}

/** dpkgStatus writes packages as /var/lib/dpkg/status has them. */
export function dpkgStatus(packages: readonly BinaryPackage[]): string {
  return packages
    .map((item) => {
      const same = item.source === item.name && item.sourceVersion === item.version;
      const source =
        item.sourceVersion === item.version ? item.source : `${item.source} (${item.sourceVersion})`;
      return [
        `Package: ${item.name}`,
        'Status: install ok installed',
        'Priority: optional',
        ...(same ? [] : [`Source: ${source}`]),
        `Version: ${item.version}`,
        `Architecture: ${item.architecture}`,
        ...(item.builtUsing === '' ? [] : [`Built-Using: ${item.builtUsing}`]),
        ...(item.staticBuiltUsing === '' ? [] : [`Static-Built-Using: ${item.staticBuiltUsing}`]),
        'Description: taken from the index',
        '',
      ].join('\n');
    })
    .join('\n');
}
