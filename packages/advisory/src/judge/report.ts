import {
  type FeedName,
  type FeedState,
  type Finding,
  type Inventory,
  type ScanReport,
  type SeverityLevel,
  type Verdict,
  verdicts,
} from '../model/index.ts';
import { compareIds } from './aliases.ts';
import { isStranger, type SourceComponent } from './components.ts';
import { changelogKey, type JudgeOptions, type Knowledge } from './knowledge.ts';

const LEVELS: readonly SeverityLevel[] = ['critical', 'high', 'medium', 'low', 'none', 'unknown'];

/** makeReport puts findings in order and says what was looked at, what could not be, and whether that is all; pure. */
export function makeReport(
  inventory: Inventory,
  components: readonly SourceComponent[],
  knowledge: Knowledge,
  findings: readonly Finding[],
  { now }: JudgeOptions,
): ScanReport {
  const missing = missingAnswers(inventory, knowledge);
  const gaps = [
    ...inventory.gaps,
    ...(inventory.unread ?? []),
    ...emptiness(inventory),
    ...unknownSources(components, knowledge),
    ...strangers(components, knowledge, inventory.subject.codename),
    ...holes(components, knowledge),
    ...missing,
  ];
  const counts: Record<Verdict, number> = { open: 0, fixed: 0, 'not-affected': 0, unknown: 0 };
  for (const { verdict } of findings) counts[verdict]++;
  return {
    format: 1,
    subject: inventory.subject,
    inputs: inventory.inputs,
    judgedAt: now.toISOString(),
    feeds: knowledge.feeds,
    findings: [...findings].sort(compareFindings),
    counts,
    looked: {
      binaries: inventory.binaries.length,
      sources: new Set(components.map(({ source }) => source)).size,
      goPrograms: inventory.goPrograms.length,
      goModules: new Set(inventory.goPrograms.flatMap(({ modules }) => modules.map(({ path }) => path))).size,
      npmModules: inventory.npmModules.length,
    },
    gaps,
    complete: gaps.length === inventory.gaps.length,
  };
}

/** An SBOM or root in which nothing was found was not looked at. */
function emptiness({ binaries, goPrograms, npmModules }: Inventory): string[] {
  if (binaries.length + goPrograms.length + npmModules.length > 0) return [];
  return ['nothing was found that could be compared with any feed: no Debian, Go or npm package'];
}

/** Which question each feed answers; without a fresh answer nobody may say that nothing else is open. */
function missingAnswers(
  { binaries, goPrograms, npmModules, subject }: Inventory,
  { claims, feeds, fixSuites }: Knowledge,
): string[] {
  const needed: (readonly [FeedName, string])[] = [];
  if (binaries.length > 0) {
    if (fixSuites.length === 0) {
      return [
        `no suite is known that holds fixes for ${subject.distribution || 'this distribution'}: nothing was compared`,
      ];
    }
    needed.push(...fixSuites.map((suite) => [`debian-index:${suite}`, 'whether newer fixes exist'] as const));
    needed.push(['debian-tracker', 'what is known in Debian and has no fix yet']);
  }
  if (goPrograms.length > 0)
    needed.push(['osv-go', 'what is known of Go modules and of the standard library']);
  if (npmModules.length > 0) needed.push(['osv-npm', 'what is known of npm packages']);
  const said = claims.filter(({ feed }) => feed === 'debian-tracker');
  // A release leaves the tracker when its support ends.
  const isSilent = said.length > 0 && !said.some(({ release }) => release === subject.codename);
  const lapsed = isSilent
    ? [`debian-tracker says nothing of ${subject.codename}, whose support may have ended`]
    : [];
  const unanswered = needed.flatMap(([name, question]) => {
    const feed = feeds.find((each) => each.name === name);
    if (feed?.condition === 'fresh') return [];
    return [
      `${question} is unknown${sinceOf(feed)}: ${name} is ${feed?.condition ?? 'missing'}${feed?.detail === undefined ? '' : `, ${feed.detail}`}`,
    ];
  });
  return [...unanswered, ...lapsed];
}

function sinceOf(feed: FeedState | undefined): string {
  return feed?.validUntil === undefined ? '' : ` since ${feed.validUntil}`;
}

function unknownSources(components: readonly SourceComponent[], { offers, fixSuites }: Knowledge): string[] {
  if (fixSuites.length === 0) return [];
  const own = new Set(fixSuites.map((suite) => `debian-index:${suite}`));
  // That unstable has it helps nobody: its updates are not meant for this release.
  const known = new Set(offers.filter(({ feed }) => own.has(feed)).map(({ source }) => source));
  const strange = components.map(({ source }) => source).filter((source) => !known.has(source));
  return named(strange, 'sources of the image are in no suite at hand, so nothing is known of them');
}

function strangers(components: readonly SourceComponent[], knowledge: Knowledge, codename: string): string[] {
  const strange = components.filter((component) => isStranger(component, knowledge));
  return named(
    strange.map(({ source, version }) => `${source} ${version}`),
    `sources are newer than all that ${codename} offers, so its updates say nothing of them`,
  );
}

function named(names: readonly string[], what: string): string[] {
  const unique = [...new Set(names)].sort();
  if (unique.length === 0) return [];
  const more = unique.length > 8 ? `, and ${unique.length - 8} more` : '';
  return [`${unique.length} ${what}: ${unique.slice(0, 8).join(', ')}${more}`];
}

/** Changelogs that were needed and cannot be read, each with the reason; those never fetched together. */
function holes(components: readonly SourceComponent[], { changelogs, offers, feeds }: Knowledge): string[] {
  const wanted = new Set(components.map(({ source }) => source));
  const unreadable = offers.flatMap(({ source, version }) => {
    const changelog = changelogs.get(changelogKey(source, version));
    if (!wanted.has(source) || changelog === undefined || changelog.state === 'read') return [];
    return [`the changelog of ${source} ${version} is ${changelog.state}: ${changelog.detail}`];
  });
  if (unreadable.length > 0) return unreadable;
  const together = feeds.find(({ name }) => name === 'debian-changelogs');
  return together?.detail === undefined ? [] : [together.detail];
}

/** levelOf is the worst that any source says, "unknown" where none says anything. */
export function levelOf({ severities }: Pick<Finding, 'severities'>): SeverityLevel {
  const known: SeverityLevel[] = severities.map(({ level }) => level).filter((level) => level !== 'unknown');
  return LEVELS.find((level) => known.includes(level)) ?? 'unknown';
}

function compareFindings(a: Finding, b: Finding): number {
  return (
    verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) ||
    Number(b.knownExploited !== undefined) - Number(a.knownExploited !== undefined) ||
    LEVELS.indexOf(levelOf(a)) - LEVELS.indexOf(levelOf(b)) ||
    compareIds(a.vulnerability.id, b.vulnerability.id)
  );
}
