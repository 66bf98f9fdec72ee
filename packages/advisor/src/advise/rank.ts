import type { Finding, Judged } from './judge.ts';
import type { Weight } from './rule-schema.ts';

const POINTS: Readonly<Record<Weight, number>> = { decisive: 8, major: 4, notable: 2, minor: 1 };
/** A system that may be disqualified stands behind every one that cannot be, whatever else speaks for it. */
const UNCERTAIN = -1_000;
const OUT = -1_000_000;

/** `uncertain`: a rule that would disqualify it could not be judged, because a fact is not known. */
export type Standing = 'fits' | 'uncertain' | 'out';

/** A system in the order of preference. */
export interface Choice extends Judged {
  readonly standing: Standing;
  readonly points: number;
  /** Its place, from 1; equal ones share it. Those that are out have none. */
  readonly place: number | undefined;
}

/** What a finding counts when it holds. */
function pointsOf({ rule, state }: Pick<Finding, 'rule' | 'state'>): number {
  if (state === 'false') return 0;
  if (rule.effect === 'disqualifies') return state === 'unknown' ? UNCERTAIN : OUT;
  if (state === 'unknown') return 0;
  const points = POINTS[rule.weight ?? 'minor'];
  return rule.effect === 'for' ? points : -points;
}

/** rank orders systems: those that fit by their points, then those that may not, then those that do not. */
export function rank(judged: readonly Judged[]): readonly Choice[] {
  const scored = judged.map((one) => {
    const settled = one.findings.filter(({ state }) => state !== 'open');
    const total = settled.reduce((sum, finding) => sum + pointsOf(finding), 0);
    return { ...one, total, standing: standingOf(settled), points: plainPoints(settled) };
  });
  scored.sort((a, b) => b.total - a.total || (a.system.name < b.system.name ? -1 : 1));
  return scored.map(({ total, ...one }) => ({
    ...one,
    place: one.standing === 'out' ? undefined : 1 + scored.findIndex((other) => other.total === total),
  }));
}

function standingOf(findings: readonly Finding[]): Standing {
  const disqualifying = findings.filter(({ rule }) => rule.effect === 'disqualifies');
  if (disqualifying.some(({ state }) => state === 'true')) return 'out';
  return disqualifying.some(({ state }) => state === 'unknown') ? 'uncertain' : 'fits';
}

function plainPoints(findings: readonly Finding[]): number {
  return findings
    .filter(({ rule }) => rule.effect !== 'disqualifies')
    .reduce((sum, finding) => sum + pointsOf(finding), 0);
}

/** The least and the most that a system can come to, whatever the open questions are answered with. */
export function boundsOf({ findings }: Judged): { readonly least: number; readonly most: number } {
  let least = 0;
  let most = 0;
  for (const finding of findings) {
    if (finding.state !== 'open') {
      least += pointsOf(finding);
      most += pointsOf(finding);
      continue;
    }
    const points = pointsOf({ rule: finding.rule, state: 'true' });
    if (points < 0) least += points;
    else most += points;
  }
  return { least, most };
}

/** Whether a sum means that a system is out. */
export function isOut(total: number): boolean {
  return total <= OUT / 2;
}
