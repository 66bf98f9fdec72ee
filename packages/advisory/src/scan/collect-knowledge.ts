import { compareDebianVersions } from '@plinth/base';
import type { PackageClaim, SourceOffer } from '../feeds/feed-content.ts';
import { missingFeed, stateOfFeed } from '../feeds/feed-states.ts';
import { importedFeeds } from '../feeds/imported-feeds.ts';
import { indexFeed } from '../feeds/index-offers.ts';
import { fixSuites, suitesFor } from '../feeds/refresh.ts';
import { changelogKey, type FlawFacts, type Knowledge, sourceComponents } from '../judge/index.ts';
import type { FeedName, FeedState, Inventory } from '../model/index.ts';
import type { AdvisoryStore, SeenOffer, StoredChangelog } from '../store/index.ts';

/** An offer with what makes it worth reading the changelog. */
export interface NeededOffers {
  readonly offers: readonly SeenOffer[];
  /** Offers whose changelog a judgement needs. */
  readonly changelogs: readonly SourceOffer[];
}

/**
 * neededOffers gives the offers that concern an inventory, and those whose changelogs must be read: of every newer
 * version meant for its release, and of Go toolchains.
 * @param all also those of the versions that are in the image: they tell what it has fixed
 */
export async function neededOffers(
  store: AdvisoryStore,
  inventory: Inventory,
  all: boolean,
): Promise<NeededOffers> {
  const components = sourceComponents(inventory);
  const hasGo =
    inventory.goPrograms.length > 0 || components.some(({ source }) => /^golang-1\.\d+$/.test(source));
  const toolchains = hasGo
    ? (await store.sourcesLike('golang-1.')).filter((source) => /^golang-1\.\d+$/.test(source))
    : [];
  const offers = await store.offers([...components.map(({ source }) => source), ...toolchains]);
  const versions = new Map(components.map(({ source, version }) => [source, version]));
  const fixes = new Set(fixSuites(inventory.subject.codename).map(indexFeed));
  const isFix = ({ source, version, feed }: SeenOffer): boolean => {
    const installed = versions.get(source);
    return installed !== undefined && fixes.has(feed) && compareDebianVersions(version, installed) > 0;
  };
  // Where something newer is offered, what the installed version says of itself is needed too.
  const moved = new Set(offers.filter(isFix).map(({ source }) => source));
  const changelogs = offers.filter((offer) => {
    if (toolchains.includes(offer.source) || isFix(offer)) return true;
    const installed = versions.get(offer.source);
    const isOwn = installed !== undefined && compareDebianVersions(offer.version, installed) === 0;
    return isOwn && (all || moved.has(offer.source));
  });
  const unique = new Map(changelogs.map((offer) => [changelogKey(offer.source, offer.version), offer]));
  return { offers, changelogs: [...unique.values()] };
}

/** collectKnowledge takes out of the store all that concerns an inventory, with the state of every feed. */
export async function collectKnowledge(
  store: AdvisoryStore,
  inventory: Inventory,
  needed: NeededOffers,
  now: Date,
  failures: ReadonlyMap<string, string> = new Map(),
): Promise<Knowledge> {
  const changelogs = new Map<string, StoredChangelog>();
  for (const { source, version } of needed.changelogs) {
    const found = await store.changelog(source, version);
    if (found) changelogs.set(changelogKey(source, version), found);
  }
  const goModules = inventory.goPrograms.flatMap(({ modules, main }) => [
    ...modules.map(({ path }) => path),
    ...(main ? [main.path] : []),
  ]);
  return {
    feeds: await feedStates(store, inventory, needed, changelogs, now, failures),
    fixSuites: fixSuites(inventory.subject.codename),
    offers: needed.offers,
    changelogs,
    claims: [
      ...(await debianClaims(store, inventory)),
      ...(goModules.length > 0 ? await store.claims('go', [...goModules, 'stdlib']) : []),
      ...(await store.claims(
        'npm',
        inventory.npmModules.map(({ name }) => name),
      )),
    ],
  };
}

/** Claims on the sources of an image; vendors also speak of binary packages. */
async function debianClaims(store: AdvisoryStore, inventory: Inventory): Promise<readonly PackageClaim[]> {
  const sources = new Set(sourceComponents(inventory).map(({ source }) => source));
  const claims = await store.claims('debian', sources);
  if ((await store.size('csaf')) === 0) return claims;
  const others = inventory.binaries.map(({ name }) => name).filter((name) => !sources.has(name));
  return [
    ...claims,
    ...(await store.claims('debian', others)).filter(({ statement }) => statement !== undefined),
  ];
}

/** factsOf looks identifiers up in a store, under all the names they have, and notes those never seen before. */
export async function factsOf(store: AdvisoryStore, ids: readonly string[], now: Date): Promise<FlawFacts> {
  const first = await store.aliases(ids);
  const known = new Set([...ids, ...first.map(([, other]) => other)]);
  // Names of names: a CVE that only its GHSA record joins to a GO record.
  const aliases = [...first, ...(await store.aliases([...known].filter((id) => !ids.includes(id))))];
  const all = [...new Set([...known, ...aliases.map(([, other]) => other)])];
  return { aliases, details: await store.details(all), seenAt: await store.seen(ids, now.toISOString()) };
}

async function feedStates(
  store: AdvisoryStore,
  { subject }: Inventory,
  needed: NeededOffers,
  changelogs: ReadonlyMap<string, StoredChangelog>,
  now: Date,
  failures: ReadonlyMap<string, string>,
): Promise<FeedState[]> {
  const heads = new Map((await store.feeds()).map((head) => [head.name, head]));
  const stateOf = (name: FeedName, failure?: string): FeedState => {
    const head = heads.get(name);
    return head ? stateOfFeed(head, now) : missingFeed(name, failure);
  };
  return [
    ...suitesFor(subject.codename).map((suite) => stateOf(indexFeed(suite), failures.get(suite))),
    changelogFeed(needed, changelogs),
    ...importedFeeds.map((name) => stateOf(name)),
  ];
}

/** The changelogs together are a feed whose holes are known by name. */
function changelogFeed(needed: NeededOffers, changelogs: ReadonlyMap<string, StoredChangelog>): FeedState {
  const holes = needed.changelogs.filter(
    ({ source, version }) => changelogs.get(changelogKey(source, version))?.state !== 'read',
  );
  const base = { name: 'debian-changelogs', authenticity: 'archive-signature' } as const;
  if (holes.length === 0) return { ...base, condition: 'fresh' };
  const names = holes.map(({ source, version }) => `${source} ${version}`).slice(0, 5);
  const detail = `${holes.length} of ${needed.changelogs.length} changelogs are missing: ${names.join(', ')}`;
  return { ...base, condition: holes.length === needed.changelogs.length ? 'missing' : 'partial', detail };
}
