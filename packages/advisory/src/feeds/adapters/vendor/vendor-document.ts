import { isPackageName, isPackageVersion } from '../../../inventory/debian-fields.ts';
import { parsePackageUrl } from '../../../inventory/package-url.ts';
import { codenameOf } from '../../../inventory/sort-bill.ts';
import { normaliseId, schemeOf } from '../../../model/index.ts';
import type { FlawDetail, PackageClaim, VendorStatement } from '../../feed-content.ts';
import { DAY_MS, plainLine } from '../adapter.ts';
import { parseVers } from './vers.ts';

/** All that is taken out of one document. */
export interface VendorDocument {
  readonly by: string;
  readonly id: string;
  /** Sorts editions of one document, newest last. */
  readonly edition: string;
  readonly claims: readonly PackageClaim[];
  readonly details: readonly FlawDetail[];
}

/** Beyond this a folder is no collection of statements any more; the largest vendor publishes some 300,000. */
export const STATEMENTS_LIMIT = 1_000_000;

/** How long "fixed" and "not affected" count after the vendor said so: code moves on, and neither format has an end. */
const BELIEVED_MS = 180 * DAY_MS;

/** What names a package in a document. */
export interface NamedPackage {
  readonly purl: string;
  /** Versions in words, where the package URL has none: "vers:deb/<3.5.7-1". */
  readonly range?: string;
}

/**
 * idOf gives the name a vendor's statement goes by. Aliases are not taken over: a vendor that lists two CVEs as one
 * would otherwise close both for everybody. A GHSA with exactly one CVE beside it goes by that.
 */
export function idOf(name: string, aliases: readonly string[]): string | undefined {
  const own = normaliseId(name);
  const known = [...(own === undefined ? [] : [own]), ...aliases.flatMap((each) => normaliseId(each) ?? [])];
  const cves = [...new Set(known)].filter((id) => schemeOf(id) === 'cve');
  if (own !== undefined && schemeOf(own) === 'cve') return own;
  return cves.length === 1 ? cves[0] : known[0];
}

/** statementTimes dates a statement: never later than its document was fetched, or it would outlive all others. */
export function statementTimes(at: string, date: string): Pick<VendorStatement, 'at' | 'validUntil'> {
  const said = at < date ? at : date;
  return { at: said, validUntil: new Date(Date.parse(said) + BELIEVED_MS).toISOString() };
}

/**
 * claimOn makes a claim of a statement about a package; undefined for packages that no image here has (RPM, a vendor's
 * own product), and when "fixed" or "not affected" is said of versions that cannot be read.
 */
export function claimOn(
  id: string,
  { purl, range }: NamedPackage,
  statement: Omit<VendorStatement, 'about'>,
): PackageClaim | undefined {
  const parsed = parsePackageUrl(purl);
  const place = parsed && placeOf(parsed);
  if (!parsed || !place) return undefined;
  const { about, ...named } = place;
  const { version } = parsed;
  if (about !== 'module' && version !== '' && !isPackageVersion(version)) return undefined;
  const base = { feed: 'csaf', id, aliases: [], state: 'active', ...named, at: statement.at } as const;
  if (version !== '') return { ...base, ranges: [], versions: [version], statement: { ...statement, about } };
  const versions = range === undefined ? { ranges: [{ introduced: '0' }], versions: [] } : parseVers(range);
  if (versions) return { ...base, ...versions, statement: { ...statement, about } };
  if (statement.verdict !== 'open') return undefined;
  const words = `in versions that are not read here: ${plainLine(range ?? '').slice(0, 100)}`;
  return {
    ...base,
    ranges: [{ introduced: '0' }],
    statement: { ...statement, about, verdict: 'unknown', words },
  };
}

function placeOf({
  type,
  namespace,
  name,
  qualifiers,
}: NonNullable<ReturnType<typeof parsePackageUrl>>):
  | (Pick<PackageClaim, 'ecosystem' | 'package' | 'release'> & Pick<VendorStatement, 'about'>)
  | undefined {
  const path = namespace === '' ? name : `${namespace}/${name}`;
  if (type === 'golang') return { ecosystem: 'go', package: path, about: 'module' };
  if (type === 'npm') return { ecosystem: 'npm', package: path, about: 'module' };
  if (type !== 'deb' || namespace !== 'debian' || !isPackageName(name)) return undefined;
  const { distro = '', arch } = qualifiers;
  // "trixie" or "debian-13"; a release that is not known is kept as it is, and is no release of any image then.
  const release = distro === '' ? {} : { release: codenameOf(distro) || distro.slice(0, 50) };
  return { ecosystem: 'debian', package: name, about: arch === 'source' ? 'source' : 'package', ...release };
}
