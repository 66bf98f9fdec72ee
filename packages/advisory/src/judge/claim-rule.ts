import { compareDebianVersions } from '@plinth/base';
import type { AffectedRange, PackageClaim } from '../feeds/feed-content.ts';
import type {
  AffectedComponent,
  DebianStance,
  Evidence,
  FeedState,
  GoProgram,
  Inventory,
  Verdict,
  VexJustification,
} from '../model/index.ts';
import { affected } from './changelog-rule.ts';
import { isStranger, type SourceComponent } from './components.ts';
import { isContained } from './contained.ts';
import type { Judgement, Rule } from './judgement.ts';
import type { Knowledge } from './knowledge.ts';
import { compareSemver } from './semver.ts';

type Compare = (a: string, b: string) => number | undefined;

/** judgeSourceByClaims judges a Debian source by what the tracker and OSV say about it for the subject's release; pure. */
export function judgeSourceByClaims(
  component: SourceComponent,
  knowledge: Knowledge,
  codename: string,
): Judgement[] {
  const claims = knowledge.claims.filter(
    (claim) => claim.ecosystem === 'debian' && claim.package === component.source,
  );
  const own = claims.filter(({ release }) => release === undefined || release === codename);
  const place = affected(component, undefined);
  const judged = own.flatMap((claim) => judge(claim, place, compareDebianVersions, knowledge));
  if (!isStranger(component, knowledge)) return judged;
  const ahead = claims
    .filter(({ release }) => release === 'sid')
    .flatMap((claim) => judge(claim, place, byContent, knowledge));
  const told = new Set(ahead.map(({ id }) => id));
  return [...ahead, ...judged.filter(({ id }) => !told.has(id)).map((each) => doubted(each, codename))];
}

/** A version made for stable or for backports has what the version has that it was made from. */
function byContent(version: string, other: string): number {
  const order = compareDebianVersions(version, other);
  return order < 0 && isContained(other, version) ? 0 : order;
}

/** "1.22.1-9+deb12u3 has the fix" says nothing of nginx.org's 1.26.2: it went another way, and is only a larger number. */
function doubted(judgement: Judgement, codename: string): Judgement {
  const { justification: _, ...rest } = judgement;
  if (judgement.verdict === 'open' || judgement.verdict === 'unknown') return judgement;
  const { version } = judgement.component;
  const reason = `${judgement.reason}; but ${version} is of no suite of ${codename}, so that need not be true of it`;
  return { ...rest, verdict: 'unknown', reason };
}

/** judgeGo judges what is linked into a Go program, and its toolchain's own library, by OSV's ranges; pure. */
export function judgeGo(program: GoProgram, knowledge: Knowledge): Judgement[] {
  const modules = [...program.modules, ...(program.main ? [program.main] : [])];
  const toolchain = program.goVersion.replace(/^go/, '');
  const all = toolchain === '' ? modules : [...modules, { path: 'stdlib', version: toolchain }];
  return all.flatMap(({ path, version }) =>
    claimsOn('go', path, knowledge).flatMap((claim) =>
      judge(
        claim,
        {
          ...{ ecosystem: 'go', name: path, version, files: [program.path] },
          binaries: program.package === undefined ? [] : [program.package],
        },
        compareSemver,
        knowledge,
      ),
    ),
  );
}

/** judgeNpm judges the npm packages of an image by OSV's ranges; pure. */
export function judgeNpm({ npmModules }: Inventory, knowledge: Knowledge): Judgement[] {
  return npmModules.flatMap(({ name, version, path }) =>
    claimsOn('npm', name, knowledge).flatMap((claim) =>
      judge(
        claim,
        { ecosystem: 'npm', name, version, binaries: [], files: path === undefined ? [] : [path] },
        compareSemver,
        knowledge,
      ),
    ),
  );
}

function claimsOn(ecosystem: 'go' | 'npm', name: string, { claims }: Knowledge): PackageClaim[] {
  return claims.filter((claim) => claim.ecosystem === ecosystem && claim.package === name);
}

interface Outcome {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly fixVersion?: string;
  readonly justification?: VexJustification;
}

function judge(
  claim: PackageClaim,
  component: AffectedComponent,
  compare: Compare,
  { feeds }: Knowledge,
): Judgement[] {
  const outcome = outcomeOf(claim, component.version, compare);
  if (!outcome) return [];
  const feed = feeds.find(({ name }) => name === claim.feed);
  const { verdict, reason, unknownSince } = believed(outcome, feed);
  return [
    {
      rule: RULES[claim.feed] ?? 'osv',
      ...{ id: claim.id, aliases: claim.aliases, state: claim.state, verdict, reason },
      component:
        outcome.fixVersion === undefined ? component : { ...component, fixVersion: outcome.fixVersion },
      ...(outcome.justification !== undefined && verdict === 'not-affected'
        ? { justification: outcome.justification }
        : {}),
      ...(claim.stance === undefined ? {} : { stance: claim.stance }),
      ...(claim.title === undefined ? {} : { title: claim.title }),
      ...(claim.ecosystem === 'go' ? linkerNames(claim.symbols) : {}),
      evidence: [evidenceOf(claim, component, outcome)],
      clocks: claim.at === undefined ? {} : { disclosedAt: claim.at },
      feeds: [claim.feed],
      ...(unknownSince === undefined ? {} : { unknownSince }),
    },
  ];
}

/**
 * linkerNames writes OSV's "net/http" → "Server.Serve" as the linker does: net/http.Server.Serve and
 * net/http.(*Server).Serve. A package without a list of functions is affected as a whole; then nothing may be concluded.
 */
function linkerNames(symbols: PackageClaim['symbols']): { readonly goFunctions?: readonly string[] } {
  const packages = Object.entries(symbols ?? {});
  if (packages.length === 0 || packages.some(([, functions]) => functions.length === 0)) return {};
  const names = packages.flatMap(([path, functions]) => {
    // The linker escapes dots in the last element of a path: "gopkg.in/yaml%2ev3".
    const slash = path.lastIndexOf('/') + 1;
    const prefix = `${path.slice(0, slash)}${path.slice(slash).replaceAll('.', '%2e')}`;
    return functions.flatMap((name) => {
      const [, receiver, method] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
      const plain = `${prefix}.${name}`;
      return receiver === undefined ? [plain] : [plain, `${prefix}.(*${receiver}).${method}`];
    });
  });
  return { goFunctions: names };
}

const RULES: Readonly<Record<string, Rule>> = { 'debian-tracker': 'tracker' };

/** What the claim means for one version; undefined when it says nothing about it. */
function outcomeOf(claim: PackageClaim, version: string, compare: Compare): Outcome | undefined {
  const by = `${claim.feed} says`;
  // The record is kept so that the identifier is found, and said to mean nothing any more.
  if (claim.state === 'rejected' || claim.state === 'withdrawn') return undefined;
  const stance = claim.stance;
  if (stance === 'never-affected') {
    const reason = `${by} that no version in this release has it`;
    return { verdict: 'not-affected', reason, justification: 'vulnerable_code_not_present' };
  }
  if (stance === 'undetermined')
    return { verdict: 'unknown', reason: `${by} that it is not determined who has it` };
  const hits = claim.ranges.map((range) => inRange(range, version, compare));
  const { versions = [] } = claim;
  if (!hits.includes('in') && versions.some((each) => each === version || compare(each, version) === 0)) {
    return { verdict: 'open', reason: `${by} that ${version} has it` };
  }
  if (hits.includes(undefined) || (versions.length > 0 && compare(version, version) === undefined)) {
    return {
      verdict: 'unknown',
      reason: `${version || 'a part without a version'} cannot be compared with the versions that ${claim.feed} names`,
    };
  }
  if (hits.length + versions.length === 0 && stance === undefined) {
    return { verdict: 'unknown', reason: `${by} that ${claim.package} has it, and not in which versions` };
  }
  const fixes = claim.ranges.flatMap(({ fixed }) => fixed ?? []);
  const hit = claim.ranges[hits.indexOf('in')];
  if (hits.includes('in') || (claim.ranges.length === 0 && stance !== undefined)) {
    const words =
      stance === undefined || stance === 'open' || stance === 'resolved' ? '' : ` (${STANCES[stance]})`;
    const fixVersion = hit?.fixed;
    const reason =
      fixVersion === undefined
        ? `${by} that ${version} has it and names no fix${words}`
        : `${by} that ${fixVersion} fixes it, ${version} is in the image${words}`;
    return { verdict: 'open', reason, ...(fixVersion === undefined ? {} : { fixVersion }) };
  }
  if (hits.includes('after')) {
    return {
      verdict: 'fixed',
      reason:
        fixes.length === 0
          ? `${by} that versions before ${version} had it`
          : `${by} that ${fixes.join(' or ')} fixed it, ${version} is in the image`,
    };
  }
  const reason =
    hits.length === 0
      ? `${by} which versions have it, and ${version} is none of them`
      : `${by} that it came in after ${version}`;
  return {
    verdict: 'not-affected',
    reason,
    justification: 'vulnerable_code_not_present',
  };
}

const STANCES: Readonly<Record<DebianStance, string>> = {
  open: 'open',
  resolved: 'resolved',
  'never-affected': 'never affected',
  undetermined: 'undetermined',
  'end-of-life': 'the package gets no more fixes',
  ignored: 'Debian will not fix it',
  postponed: 'Debian will fix it with a later update',
  'no-dsa': 'Debian gives no advisory of its own for it',
  unimportant: 'Debian holds it for unimportant',
};

/** inRange tells on which side of a range a version is; undefined when they cannot be compared; pure. */
export function inRange(
  range: AffectedRange,
  version: string,
  compare: Compare,
): 'before' | 'in' | 'after' | undefined {
  if (range.introduced !== undefined && range.introduced !== '0') {
    const order = compare(version, range.introduced);
    if (order === undefined) return undefined;
    if (order < 0) return 'before';
  }
  const [end, last] = [range.fixed, range.lastAffected];
  const order = end !== undefined ? compare(version, end) : last !== undefined ? compare(version, last) : -1;
  if (order === undefined) return undefined;
  return order < 0 || (end === undefined && order === 0) ? 'in' : 'after';
}

/** A feed that is not valid any more can still say "open"; what it says against that may have been taken back. */
function believed(
  { verdict, reason }: Outcome,
  feed: FeedState | undefined,
): { verdict: Verdict; reason: string; unknownSince?: string } {
  if (feed?.condition === 'fresh' || verdict === 'open') return { verdict, reason };
  const since = feed?.validUntil;
  return {
    verdict: 'unknown',
    reason: `${reason}; but that feed is ${feed?.condition ?? 'missing'}${since === undefined ? '' : ` since ${since}`}`,
    ...(since === undefined ? {} : { unknownSince: since }),
  };
}

function evidenceOf(
  claim: PackageClaim,
  { name, version }: AffectedComponent,
  { verdict, reason }: Outcome,
): Evidence {
  return {
    kind: claim.feed === 'debian-tracker' ? 'tracker' : 'osv',
    speaksFor: verdict,
    statement: reason,
    source: claim.feed,
    locator: `${claim.id} for ${name} ${version}`,
    confidence: 'stated',
    ...(claim.at === undefined ? {} : { at: claim.at }),
  };
}
