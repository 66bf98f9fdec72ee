import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { compareDebianVersions, PlinthError, silentProgress } from '@plinth/base';
import { fetchPackages, type Mirrors, openPackageStore, readFromDeb } from '@plinth/debian';
import { extractClaims, parseChangelog } from '../changelog/index.ts';
import type { ChangelogEntry } from '../model/index.ts';
import type { EntryClaims, PoolFile, ReadChangelog, SourceOffer } from './feed-content.ts';

const PACKED_LIMIT_BYTES = 8 * 1024 * 1024;
const TEXT_LIMIT_BYTES = 64 * 1024 * 1024;

/** Where a package file comes from: downloads it unless it is here, gives its path. */
export type PoolFetch = (file: PoolFile, signal?: AbortSignal) => Promise<string>;

/** poolFetch fetches from the archive's mirrors into the package store. */
export function poolFetch(mirrors: Mirrors): PoolFetch {
  const store = openPackageStore();
  return async (file, signal) => {
    const locked = {
      ...file,
      source: file.name,
      sourceVersion: file.version,
      suite: '-',
      why: 'its changelog',
    };
    const paths = await fetchPackages([locked], { mirrors, store, progress: silentProgress, signal });
    return paths.get(file.name) ?? store.pathOf(file);
  };
}

/**
 * fetchChangelog reads the changelog of an offered source out of one of its packages. A pool has holes, packages
 * link to each other's papers, names and versions need not be what was asked for: the next candidate is tried, and
 * when none has it the result says so; it does not throw for that.
 * @throws cli/interrupted, host/command-missing, host/disk-full
 */
export async function fetchChangelog(
  offer: SourceOffer,
  fetchFile: PoolFetch,
  signal?: AbortSignal,
): Promise<ReadChangelog> {
  const { source, version } = offer;
  const reasons: string[] = [];
  let damaged = false;
  for (const file of offer.changelogIn) {
    try {
      const text = await readChangelogText(await fetchFile(file, signal), file.name, signal);
      if (text === undefined) {
        reasons.push(`${file.name} ${file.version} has none`);
        continue;
      }
      const entries = parseChangelog(text);
      const fault = faultOf(entries, offer);
      if (fault === undefined) {
        const detail = `${file.name} ${file.version}, SHA-256 ${file.sha256}`;
        return { source, version, state: 'read', detail, entries: entries.map(claimsOf) };
      }
      reasons.push(`${file.name}: ${fault}`);
    } catch (reason) {
      if (!(reason instanceof PlinthError) || MUST_STOP.has(reason.code)) throw reason;
      damaged ||= reason.code !== 'debian/package-gone';
      reasons.push(
        reason.code === 'debian/package-gone'
          ? `the pool has no ${file.name} ${file.version} although the index lists it`
          : `${file.name}: ${reason.code}`,
      );
    }
  }
  if (offer.changelogIn.length === 0) reasons.push('every package of it is too large to be fetched for this');
  return {
    source,
    version,
    state: damaged ? 'unreadable' : 'missing',
    detail: reasons.join('; '),
    entries: [],
  };
}

const MUST_STOP = new Set(['cli/interrupted', 'host/command-missing', 'host/disk-full']);

async function readChangelogText(
  path: string,
  name: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const folder = `usr/share/doc/${name}/`;
  const wanted = (file: string) =>
    file === `${folder}changelog.Debian.gz` || file === `${folder}changelog.gz`;
  const files = await readFromDeb(path, wanted, { limitBytes: PACKED_LIMIT_BYTES, most: 2, signal });
  // "changelog.gz" is the packager's only where there is no "changelog.Debian.gz" (Debian policy 12.7).
  const found = files.find((file) => file.path.endsWith('.Debian.gz')) ?? files[0];
  if (!found) return undefined;
  try {
    const text = await promisify(gunzip)(found.bytes, { maxOutputLength: TEXT_LIMIT_BYTES });
    return text.toString('utf8');
  } catch (reason) {
    throw new PlinthError(
      'advisory/feed-invalid',
      `Cannot read ${found.path} of ${name}: it is no gzip of at most 64 MiB`,
      { cause: reason },
    );
  }
}

/** Why this changelog is not the one of the offered source; undefined when it is. */
function faultOf(entries: readonly ChangelogEntry[], { source, version }: SourceOffer): string | undefined {
  const [top] = entries;
  if (!top) return 'it has no entry';
  if (top.source !== source) return `it is of source ${top.source}`;
  // Rebuilds of the binary alone add an entry of their own on top.
  const has = entries.slice(0, 3).some((entry) => compareDebianVersions(entry.version, version) === 0);
  return has ? undefined : `its top entry is ${top.version}, expected ${version}`;
}

function claimsOf(entry: ChangelogEntry): EntryClaims {
  return {
    version: entry.version,
    ...(entry.date === undefined ? {} : { date: entry.date }),
    distributions: entry.distributions,
    claims: extractClaims(entry),
  };
}
