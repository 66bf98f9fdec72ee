import type { Facts } from './fact.ts';
import { conditionText, judge } from './judge.ts';
import type { Claim, Profile } from './profile.ts';

/**
 * pass and fail are judged; accepted: it fails and is meant to; not-applicable: it is about something that the node was seen
 * not to have; manual: nothing on the node can tell; unknown: what decides could not be read.
 */
export type ClaimVerdict = 'pass' | 'fail' | 'accepted' | 'not-applicable' | 'manual' | 'unknown';

/** In the order in which they are counted and shown, the worst first. */
export const claimVerdicts: readonly ClaimVerdict[] = [
  ...(['fail', 'unknown', 'accepted', 'manual', 'not-applicable', 'pass'] as const),
];

/** A claim with its verdict, and the facts behind it. */
export interface ClaimResult {
  readonly profile: string;
  readonly id: string;
  /** Where it stands in its source; "" when that names no sections. */
  readonly section: string;
  readonly title: string;
  readonly verdict: ClaimVerdict;
  readonly expected: string;
  readonly found: string;
  /** Paths and programs that the facts were read from. */
  readonly sources: readonly string[];
  /** Why a failure is meant, why it does not apply, or why nothing can tell; "" otherwise. */
  readonly reason: string;
  /** What it is good for; "" where that is known from its source. */
  readonly why: string;
}

/** evaluateProfile judges every claim of a profile by the facts of a node, in the profile's order; pure. */
export function evaluateProfile(profile: Profile, facts: Facts): readonly ClaimResult[] {
  return profile.claims.map((claim) => ({
    profile: profile.id,
    id: claim.id,
    section: sectionOf(claim.id, profile.sections),
    why: claim.why ?? '',
    ...evaluate(claim, facts),
  }));
}

function sectionOf(id: string, sections: Profile['sections']): string {
  const fits = Object.keys(sections).filter(
    (start) => id === start || id.startsWith(`${start}.`) || id.startsWith(`${start}/`),
  );
  const [longest] = fits.sort((a, b) => b.length - a.length);
  return longest === undefined ? '' : (sections[longest] ?? '');
}

type Judged = Pick<ClaimResult, 'title' | 'verdict' | 'expected' | 'found' | 'sources' | 'reason'>;

function evaluate({ id, title, holds, notApplicable, manual, accepted }: Claim, facts: Facts): Judged {
  const condition = holds ?? notApplicable?.proof;
  if (!condition)
    return {
      title: title ?? id,
      verdict: 'manual',
      expected: '',
      found: '',
      sources: [],
      reason: manual ?? '',
    };
  const expected = conditionText(condition);
  const { verdict, found, sources } = judge(condition, facts);
  const judged = { title: title ?? expected, expected, found: found.join('; '), sources };
  if (notApplicable && verdict === 'pass')
    return { ...judged, verdict: 'not-applicable', reason: notApplicable.because };
  if (accepted === undefined || verdict !== 'fail') return { ...judged, verdict, reason: '' };
  return { ...judged, ...waive(accepted, facts) };
}

/** A failure that is meant, as long as what makes it good holds; when that cannot be seen, nothing is known. */
function waive(accepted: NonNullable<Claim['accepted']>, facts: Facts): Pick<Judged, 'verdict' | 'reason'> {
  if (typeof accepted === 'string') return { verdict: 'accepted', reason: accepted };
  const { verdict, found } = judge(accepted.proof, facts);
  if (verdict === 'pass') return { verdict: 'accepted', reason: `${accepted.because} (${found.join('; ')})` };
  return { verdict, reason: `meant only while ${conditionText(accepted.proof)}; ${found.join('; ')}` };
}

/** countVerdicts counts results by their verdicts; every verdict has a number. */
export function countVerdicts(results: readonly ClaimResult[]): Readonly<Record<ClaimVerdict, number>> {
  const count = (verdict: ClaimVerdict) => results.filter((one) => one.verdict === verdict).length;
  return {
    fail: count('fail'),
    unknown: count('unknown'),
    accepted: count('accepted'),
    manual: count('manual'),
    'not-applicable': count('not-applicable'),
    pass: count('pass'),
  };
}

/** postureVerdict sums up: one failure fails all, one unknown leaves all unknown. Nothing judged is unknown. */
export function postureVerdict(results: readonly ClaimResult[]): 'pass' | 'fail' | 'unknown' {
  const { fail, unknown, pass } = countVerdicts(results);
  if (fail > 0) return 'fail';
  return unknown > 0 || pass === 0 ? 'unknown' : 'pass';
}
