import { compareDebianVersions } from '@plinth/base';
import type { PackageClaim, VendorStatement } from '../feeds/feed-content.ts';
import type { AffectedComponent, Evidence, FeedState, Inventory, Verdict } from '../model/index.ts';
import { affected } from './changelog-rule.ts';
import { inRange } from './claim-rule.ts';
import type { SourceComponent } from './components.ts';
import type { Judgement } from './judgement.ts';
import type { Knowledge } from './knowledge.ts';
import { compareSemver } from './semver.ts';

type Compare = (a: string, b: string) => number | undefined;
type Stated = PackageClaim & { readonly statement: VendorStatement };

/**
 * judgeByVendors judges an inventory by what vendors say about packages in it; pure. A statement that is not in force
 * (too old, out of a feed that is not fresh, about a part of the packages only) decides nothing and is shown.
 */
export function judgeByVendors(
  inventory: Inventory,
  components: readonly SourceComponent[],
  knowledge: Knowledge,
  now: Date,
): Judgement[] {
  const byPackage = Map.groupBy(
    knowledge.claims.filter(isStated),
    (claim) => `${claim.ecosystem} ${claim.package}`,
  );
  if (byPackage.size === 0) return [];
  const on = (ecosystem: string, name: string) => byPackage.get(`${ecosystem} ${name}`) ?? [];
  const feed = knowledge.feeds.find(({ name }) => name === 'csaf');
  const say = (claim: Stated, component: AffectedComponent, doubt?: string) =>
    judgementOf(claim, component, doubt ?? doubtOf(claim, feed, now), feed);
  const modules = [
    ...inventory.goPrograms.flatMap((program) => {
      const toolchain = program.goVersion.replace(/^go/, '');
      const linked = [...program.modules, ...(program.main ? [program.main] : [])];
      const all = toolchain === '' ? linked : [...linked, { path: 'stdlib', version: toolchain }];
      const binaries = program.package === undefined ? [] : [program.package];
      return all.map(({ path: name, version }): AffectedComponent => {
        return { ecosystem: 'go', name, version, files: [program.path], binaries };
      });
    }),
    ...inventory.npmModules.map(({ name, version, path }): AffectedComponent => {
      return { ecosystem: 'npm', name, version, binaries: [], files: path === undefined ? [] : [path] };
    }),
  ];
  return [
    ...modules.flatMap((component) =>
      on(component.ecosystem, component.name)
        .filter((claim) => speaksOf(claim, component.version, compareSemver))
        .map((claim) => say(claim, component)),
    ),
    ...components.flatMap((component) => {
      const place = affected(component, undefined);
      return statementsOn(component, on, inventory.subject.codename).map(({ claim, doubt }) =>
        say(claim, place, doubt),
      );
    }),
  ];
}

function isStated(claim: PackageClaim): claim is Stated {
  return claim.statement !== undefined;
}

function speaksOf({ ranges, versions = [] }: PackageClaim, version: string, compare: Compare): boolean {
  return (
    versions.some((each) => each === version || compare(each, version) === 0) ||
    ranges.some(
      (range) => range.introduced === '0' && range.fixed === undefined && range.lastAffected === undefined,
    ) ||
    ranges.some((range) => inRange(range, version, compare) === 'in')
  );
}

/** Statements on a source, by its own name or by those of its binary packages, whose versions may be others. */
function statementsOn(
  component: SourceComponent,
  on: (ecosystem: string, name: string) => readonly Stated[],
  codename: string,
): { readonly claim: Stated; readonly doubt?: string }[] {
  const isHere = ({ release }: Stated) => release === undefined || release === codename;
  // What was built into other packages is no statement about those.
  const binaries = component.via === undefined ? component.binaries : [];
  const isBinary = binaries.some(({ name }) => name === component.source);
  const own = on('debian', component.source).filter(
    (claim) =>
      isHere(claim) &&
      (claim.statement.about === 'source' || !isBinary) &&
      speaksOf(claim, component.version, compareDebianVersions),
  );
  const parts = binaries.flatMap((binary) =>
    on('debian', binary.name)
      .filter(
        (claim) =>
          isHere(claim) &&
          claim.statement.about === 'package' &&
          speaksOf(claim, binary.version, compareDebianVersions),
      )
      .map((claim) => ({ claim, name: binary.name })),
  );
  const said = Map.groupBy(parts, ({ claim: { id, statement } }) =>
    [id, statement.by, statement.document, statement.verdict].join('\n'),
  );
  const ofParts = [...said.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const names = new Set(group.map(({ name }) => name));
    const others = [...new Set(binaries.map(({ name }) => name))].filter((name) => !names.has(name));
    if (others.length === 0 || first.claim.statement.verdict === 'open') return [{ claim: first.claim }];
    const doubt = `it speaks of ${[...names].join(', ')} and not of ${others.slice(0, 5).join(', ')}`;
    return [{ claim: first.claim, doubt }];
  });
  return [...own.map((claim) => ({ claim })), ...ofParts];
}

/** Why a statement is not in force; undefined when it is. "Affected" needs no end: nobody is hurt by believing it. */
function doubtOf({ statement }: Stated, feed: FeedState | undefined, now: Date): string | undefined {
  if (statement.verdict !== 'fixed' && statement.verdict !== 'not-affected') return undefined;
  if (feed?.condition !== 'fresh')
    return `what is here of vendors' documents is ${feed?.condition ?? 'missing'}`;
  if (now.toISOString() <= statement.validUntil) return undefined;
  return `that was said at ${statement.at} and counts until ${statement.validUntil} only`;
}

function judgementOf(
  claim: Stated,
  component: AffectedComponent,
  doubt: string | undefined,
  feed: FeedState | undefined,
): Judgement {
  const { statement, id } = claim;
  const { by, document, justification } = statement;
  const reason = `${by} says that ${component.name} ${component.version} ${WORDS[statement.verdict]}${justification ? ` (${justification})` : ''}${statement.words ? `: ${statement.words}` : ''}`;
  const verdict = doubt === undefined ? statement.verdict : 'unknown';
  const since = [statement.validUntil, feed?.validUntil ?? statement.validUntil].sort()[0];
  const evidence: Evidence = {
    kind: 'csaf',
    speaksFor: statement.verdict,
    statement: doubt === undefined ? reason : `${reason}; but ${doubt}`,
    source: 'csaf',
    locator: `${document} for ${claim.package} ${claim.versions?.join(' or ') || 'in all versions'}`.slice(
      0,
      500,
    ),
    // Out of the name of a binary package Plinth concluded what source is meant.
    confidence: claim.package === component.name ? 'stated' : 'derived',
    at: statement.at,
  };
  return {
    // What tells nothing outweighs nobody.
    rule: verdict === 'unknown' ? 'note' : 'vex',
    ...{ id, aliases: [], state: 'active', component, verdict },
    reason: evidence.statement,
    ...(verdict === 'not-affected' && justification ? { justification } : {}),
    evidence: [evidence],
    clocks: {},
    feeds: ['csaf'],
    ...(doubt === undefined || since === undefined ? {} : { unknownSince: since }),
  };
}

const WORDS: Readonly<Record<Verdict, string>> = {
  open: 'has it',
  fixed: 'has the fix',
  'not-affected': 'does not have it',
  unknown: 'is under investigation',
};

/**
 * heedImage takes from a vendor's "not affected" what the image refutes: the component is there, or the functions with
 * the flaw are linked. It stays as the other side of a contradiction, decides nothing, and alone it is unknown; pure.
 */
export function heedImage(judgements: readonly Judgement[]): Judgement[] {
  return judgements.map((judgement) => {
    if (judgement.rule !== 'vex' || judgement.verdict !== 'not-affected') return judgement;
    const others = judgements.filter(
      (each) => each !== judgement && isSame(each.component, judgement.component) && each.rule !== 'note',
    );
    const refuted =
      judgement.justification === 'component_not_present'
        ? `${judgement.component.name} ${judgement.component.version} is in the image`
        : others
            .flatMap(({ evidence }) => evidence)
            .find(({ kind, outcome }) => kind === 'go-module' && outcome?.holds === 'no')?.statement;
    if (refuted === undefined) return judgement;
    const reason = `${judgement.reason}; but ${refuted}`;
    const evidence = judgement.evidence.map((each) => ({ ...each, statement: reason }));
    const known = others.some(({ verdict }) => verdict === 'open');
    const { justification: _, ...rest } = judgement;
    if (known) return { ...judgement, rule: 'note', reason, evidence };
    return { ...rest, rule: 'note', verdict: 'unknown', reason, evidence };
  });
}

function isSame(a: AffectedComponent, b: AffectedComponent): boolean {
  return (
    a.ecosystem === b.ecosystem &&
    a.name === b.name &&
    a.version === b.version &&
    a.via === b.via &&
    (a.ecosystem === 'debian' || a.files.join(' ') === b.files.join(' '))
  );
}
