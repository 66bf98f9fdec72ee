import type { AffectedComponent, ChangelogClaim, GoProgram } from '../model/index.ts';
import type { SeenOffer, StoredChangelog, StoredEntry } from '../store/index.ts';
import type { SourceComponent } from './components.ts';
import type { Judgement } from './judgement.ts';
import { changelogKey, type Knowledge } from './knowledge.ts';
import { compareSemver } from './semver.ts';

/** A Go toolchain in the image: in a program, or as a package that another was built using. */
interface Toolchain {
  /** "1.24.4". */
  readonly version: string;
  readonly component: AffectedComponent;
}

/** toolchainsOf names the Go toolchains whose standard library is in the image; pure. */
export function toolchainsOf(
  programs: readonly GoProgram[],
  components: readonly SourceComponent[],
): Toolchain[] {
  const ofPrograms = programs.flatMap(({ goVersion, path, package: owner }): Toolchain[] => {
    const version = goVersion.replace(/^go/, '');
    if (version === '') return [];
    const binaries = owner === undefined ? [] : [owner];
    return [{ version, component: { ecosystem: 'go', name: 'stdlib', version, binaries, files: [path] } }];
  });
  const ofPackages = components.flatMap(({ source, version, via, binaries }): Toolchain[] => {
    const plain = /^golang-1\.\d+$/.test(source) ? upstreamOf(version) : undefined;
    if (plain === undefined || via === undefined) return [];
    const names = binaries.map(({ name }) => name);
    return [
      {
        version: plain,
        component: { ecosystem: 'go', name: 'stdlib', version: plain, binaries: names, files: [], via },
      },
    ];
  });
  return [...ofPrograms, ...ofPackages];
}

/**
 * judgeToolchain judges a Go toolchain by the changelogs of Debian's golang-1.N in any suite. A newer version of the
 * same series that fixes an identifier leaves it open here. What only a later series fixed since is unknown: nothing
 * says whether the older series has it; pure.
 */
export function judgeToolchain({ version, component }: Toolchain, knowledge: Knowledge): Judgement[] {
  const series = seriesOf(version);
  if (series === undefined) return [];
  const found = new Map<string, Judgement>();
  const had = fixedBy(version, series, knowledge);
  const madeAt = dateOf(version, series, knowledge);
  const sources = [...new Set(knowledge.offers.map(({ source }) => source))].filter((source) =>
    /^golang-1\.\d+$/.test(source),
  );
  for (const source of sources.sort(bySeries)) {
    const other = Number(source.slice('golang-1.'.length));
    if (other < series) continue;
    for (const { offer, entry } of entriesOf(source, knowledge)) {
      const upstream = upstreamOf(entry.version);
      if (upstream === undefined) continue;
      // A changelog begins with the entries of the series before it.
      if ((compareSemver(upstream, version) ?? 0) <= 0) continue;
      const later = seriesOf(upstream) === series || isAfter(entry.date, madeAt);
      if (!later) continue;
      for (const claim of entry.claims().filter(({ role }) => role === 'fixes')) {
        if (found.has(claim.id) || had.has(claim.id)) continue;
        found.set(claim.id, judgement(component, claim, offer, upstream, other === series));
      }
    }
  }
  return [...found.values()];
}

function judgement(
  component: AffectedComponent,
  claim: ChangelogClaim,
  offer: SeenOffer,
  fixedIn: string,
  sameSeries: boolean,
): Judgement {
  const verdict = sameSeries ? 'open' : 'unknown';
  const reason = sameSeries
    ? `compiled with Go ${component.version}, ${fixedIn} fixes it: it must be compiled anew`
    : `fixed in Go ${fixedIn}; nothing at hand says whether Go ${component.version} has it`;
  return {
    rule: 'toolchain',
    id: claim.id,
    aliases: [],
    state: 'active',
    component: sameSeries ? { ...component, fixVersion: fixedIn } : component,
    verdict,
    reason,
    title: claim.text,
    evidence: [
      {
        kind: 'go-toolchain',
        speaksFor: verdict,
        statement: `entry ${claim.version}: ${claim.text}`,
        source: 'debian-changelogs',
        locator: `changelog of ${offer.source} ${offer.version}`,
        confidence: 'derived',
        ...(claim.date === undefined ? {} : { at: claim.date }),
      },
    ],
    clocks: claim.date === undefined ? {} : { fixMadeAt: claim.date },
    feeds: [offer.feed, 'debian-changelogs'],
    ...(sameSeries || claim.date === undefined ? {} : { unknownSince: claim.date }),
  };
}

function entriesOf(source: string, knowledge: Knowledge): { offer: SeenOffer; entry: StoredEntry }[] {
  return knowledge.offers
    .filter((offer) => offer.source === source)
    .flatMap((offer) => {
      const changelog: StoredChangelog | undefined = knowledge.changelogs.get(
        changelogKey(source, offer.version),
      );
      // Oldest first: the first version that has the fix is the one to name.
      return [...(changelog?.entries ?? [])].reverse().map((entry) => ({ offer, entry }));
    });
}

/** What a toolchain's own series says it has fixed: two series are mended on one day, under the same names. */
function fixedBy(version: string, series: number, knowledge: Knowledge): Set<string> {
  return new Set(
    entriesOf(`golang-1.${series}`, knowledge)
      .filter(({ entry }) => (compareSemver(upstreamOf(entry.version) ?? '', version) ?? 1) <= 0)
      .flatMap(({ entry }) => entry.claims().filter(({ role }) => role === 'fixes'))
      .map(({ id }) => id),
  );
}

/** When a toolchain was made, by the changelog of its own series. */
function dateOf(version: string, series: number, knowledge: Knowledge): string | undefined {
  return entriesOf(`golang-1.${series}`, knowledge).find(({ entry }) => upstreamOf(entry.version) === version)
    ?.entry.date;
}

/** Without a date of the toolchain everything counts as later: better one unknown too many. */
function isAfter(date: string | undefined, madeAt: string | undefined): boolean {
  return date === undefined || madeAt === undefined || date > madeAt;
}

function seriesOf(version: string): number | undefined {
  const [, minor] = /^1\.(\d{1,3})(?:\.|rc|beta|$)/.exec(version) ?? [];
  return minor === undefined ? undefined : Number(minor);
}

/** "1.26.11-1~bpo13+1" → "1.26.11". */
function upstreamOf(version: string): string | undefined {
  return /^(?:\d+:)?(1\.\d+(?:\.\d+)?)(?:~(?:rc|beta)\d+)?-/.exec(version)?.[1];
}

function bySeries(a: string, b: string): number {
  return Number(a.slice('golang-1.'.length)) - Number(b.slice('golang-1.'.length));
}
