import { compareDebianVersions } from '@plinth/base';
import type { ChangelogClaim, Evidence } from '../model/index.ts';
import type { SeenOffer, StoredEntry } from '../store/index.ts';
import type { SourceComponent } from './components.ts';
import { isContained } from './contained.ts';
import type { Judgement } from './judgement.ts';
import { changelogKey, type JudgeOptions, type Knowledge } from './knowledge.ts';

/**
 * judgeByChangelog judges one source by what the release's own suites offer: a newer version whose entries say
 * "fixes ID" means that ID is open in the image. All entries between the two versions count, whatever suite they
 * name; an entry that only mentions an identifier closes and opens nothing; pure.
 */
export function judgeByChangelog(
  component: SourceComponent,
  knowledge: Knowledge,
  options: JudgeOptions,
): Judgement[] {
  const offers = knowledge.offers
    .filter(({ source, feed }) => source === component.source && isFixSuite(feed, knowledge))
    .sort((a, b) => compareDebianVersions(a.version, b.version));
  const found = new Map<string, Judgement>();
  for (const offer of offers) {
    if (compareDebianVersions(offer.version, component.version) <= 0) continue;
    for (const judgement of openIn(component, offer, knowledge)) {
      // Offers come lowest first: the first version that has the fix is the one to name.
      if (!found.has(judgement.id)) found.set(judgement.id, judgement);
    }
  }
  if (options.fixedWithinMs !== undefined) {
    for (const judgement of fixedIn(component, offers, knowledge, options)) {
      if (!found.has(judgement.id)) found.set(judgement.id, judgement);
    }
  }
  return [...found.values()];
}

function isFixSuite(feed: string, { fixSuites }: Knowledge): boolean {
  return fixSuites.some((suite) => feed === `debian-index:${suite}`);
}

function openIn(component: SourceComponent, offer: SeenOffer, knowledge: Knowledge): Judgement[] {
  const changelog = knowledge.changelogs.get(changelogKey(offer.source, offer.version));
  const security = offer.feed.endsWith('-security');
  if (changelog?.state !== 'read') {
    if (!security && changelog === undefined) return [];
    const why = changelog === undefined ? 'was not fetched' : `cannot be read: ${changelog.detail}`;
    const reason = `${offer.source} ${offer.version} is offered and its changelog ${why}; which identifiers it fixes is not known`;
    return [withoutIds(component, offer, 'unknown', reason, [])];
  }
  const news = changelog.entries.filter(({ version }) => !isContained(version, component.version));
  const named = news.flatMap((entry) => entry.claims().map((claim) => ({ entry, claim })));
  const isOld = repeats(component, changelog.entries, knowledge);
  const fixes = named.filter(({ entry, claim }) => claim.role === 'fixes' && !isOld(claim, entry));
  const mentions = named.filter(({ claim }) => claim.role !== 'fixes');
  const judgements = fixes.map(({ entry, claim }) => openJudgement(component, offer, entry, claim));
  if (judgements.length > 0 || !security) return judgements;
  const reason = `${offer.source} ${offer.version} is a security update that names no identifier as fixed`;
  return [
    withoutIds(
      component,
      offer,
      'open',
      reason,
      mentions.map(({ claim }) => mentionEvidence(offer, claim)),
    ),
  ];
}

/** Entries of uploads made for a stable release or for backports: a branch of its own. */
const STABLE = /[~+](?:deb\d+u\d+|bpo\d+)/;

/**
 * Tells claims that say nothing new. c-ares 1.34.5-1+deb13u1 was mended for stable; 1.34.9-1~deb13u1 comes from
 * unstable, where an entry that sorts as newer names the same fix. An entry of unstable, or one that is older than
 * the fix the image has, repeats it; a later one of stable means that the first fix was not enough (jq, CVE-2024-53427).
 */
function repeats(
  { source, version }: SourceComponent,
  offered: readonly StoredEntry[],
  { changelogs }: Knowledge,
): (claim: ChangelogClaim, entry: StoredEntry) => boolean {
  const own = changelogs.get(changelogKey(source, version))?.entries ?? [];
  const news = offered.filter((entry) => !isContained(entry.version, version));
  const oldest = news.flatMap(({ date }) => date ?? []).sort()[0] ?? '';
  // Older entries of unstable can repeat nothing: what came after them is news.
  const had = [...own, ...offered].filter(
    (entry) =>
      isContained(entry.version, version) && (STABLE.test(entry.version) || (entry.date ?? '') >= oldest),
  );
  const fixes = Map.groupBy(
    had.flatMap((entry) =>
      entry
        .claims()
        .filter(({ role }) => role === 'fixes')
        .map(({ id }) => ({ id, entry })),
    ),
    ({ id }) => id,
  );
  return ({ id }, entry) =>
    (fixes.get(id) ?? []).some(({ entry: before }) => {
      if (STABLE.test(before.version) && !STABLE.test(entry.version)) return true;
      return entry.date !== undefined && before.date !== undefined && entry.date <= before.date;
    });
}

function openJudgement(
  component: SourceComponent,
  offer: SeenOffer,
  entry: StoredEntry,
  claim: ChangelogClaim,
): Judgement {
  const fixMadeAt = claim.date ?? entry.date;
  return {
    ...base(component, offer),
    id: claim.id,
    verdict: 'open',
    reason: `${component.source} ${component.version} is in the image, ${offer.version} fixes it`,
    title: claim.text,
    evidence: [versionEvidence(component, offer), changelogEvidence(offer, entry.version, claim, 'open')],
    clocks: { ...(fixMadeAt === undefined ? {} : { fixMadeAt }), fixAvailableAt: offer.firstSeen.indexDate },
  };
}

function withoutIds(
  component: SourceComponent,
  offer: SeenOffer,
  verdict: 'open' | 'unknown',
  reason: string,
  mentions: readonly Evidence[],
): Judgement {
  return {
    ...base(component, offer),
    id: `UPDATE:${offer.source}/${offer.version}`,
    verdict,
    reason,
    evidence: [versionEvidence(component, offer), ...mentions],
    clocks: { fixAvailableAt: offer.firstSeen.indexDate },
    ...(verdict === 'unknown' ? { unknownSince: offer.firstSeen.indexDate } : {}),
  };
}

/** What the image has: entries that its own version contains, as the changelog of the offered version tells them. */
function fixedIn(
  component: SourceComponent,
  offers: readonly SeenOffer[],
  { changelogs }: Knowledge,
  { now, fixedWithinMs = 0 }: JudgeOptions,
): Judgement[] {
  const offer = offers.find(
    ({ source, version }) => changelogs.get(changelogKey(source, version))?.state === 'read',
  );
  const changelog = offer && changelogs.get(changelogKey(offer.source, offer.version));
  if (!offer || !changelog) return [];
  const oldest = now.getTime() - fixedWithinMs;
  return changelog.entries
    .filter(
      ({ version, date }) => isContained(version, component.version) && Date.parse(date ?? '') >= oldest,
    )
    .flatMap((entry) =>
      entry
        .claims()
        .filter(({ role }) => role === 'fixes')
        .map(
          (claim): Judgement => ({
            ...base(component, offer),
            component: affected(component, undefined),
            id: claim.id,
            verdict: 'fixed',
            reason: `${component.source} ${component.version} is in the image, ${entry.version} fixed it`,
            title: claim.text,
            evidence: [changelogEvidence(offer, entry.version, claim, 'fixed')],
            clocks: entry.date === undefined ? {} : { fixMadeAt: entry.date },
          }),
        ),
    );
}

function base(component: SourceComponent, offer: SeenOffer) {
  return {
    rule: 'changelog',
    aliases: [],
    state: 'active',
    component: affected(component, offer),
    feeds: [offer.feed, 'debian-changelogs'],
  } as const;
}

/** affected is the component as findings show it. */
export function affected(
  { source, version, binaries, via }: SourceComponent,
  offer: Pick<SeenOffer, 'version' | 'feed'> | undefined,
) {
  return {
    ecosystem: 'debian',
    name: source,
    version,
    binaries: binaries.map(({ name }) => name),
    files: [],
    ...(offer ? { fixVersion: offer.version, fixSuite: offer.feed.replace(/^debian-index:/, '') } : {}),
    ...(via === undefined ? {} : { via }),
  } as const;
}

function versionEvidence(component: SourceComponent, offer: SeenOffer): Evidence {
  const { indexDate, indexSha256 } = offer.firstSeen;
  return {
    kind: 'index',
    speaksFor: 'open',
    statement: `${offer.feed} offers ${offer.source} ${offer.version}, newer than ${component.version}`,
    source: offer.feed,
    locator: `InRelease of ${indexDate}, SHA-256 ${indexSha256}`,
    offer: { source: offer.source, version: offer.version, indexSha256 },
    confidence: 'proven',
    at: indexDate,
  };
}

function changelogEvidence(
  offer: SeenOffer,
  entryVersion: string,
  claim: ChangelogClaim,
  speaksFor: 'open' | 'fixed',
): Evidence {
  return {
    kind: 'changelog',
    speaksFor,
    statement: `entry ${entryVersion}: ${claim.text}`,
    source: 'debian-changelogs',
    locator: `changelog of ${offer.source} ${offer.version}`,
    confidence: claim.confidence,
    ...(claim.date === undefined ? {} : { at: claim.date }),
  };
}

function mentionEvidence(offer: SeenOffer, claim: ChangelogClaim): Evidence {
  return {
    kind: 'changelog',
    speaksFor: 'mentions',
    statement: `entry ${claim.version} names ${claim.id} (${claim.role}): ${claim.text}`,
    source: 'debian-changelogs',
    locator: `changelog of ${offer.source} ${offer.version}`,
    confidence: claim.confidence,
  };
}
