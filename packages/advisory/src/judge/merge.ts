import type { FlawDetail } from '../feeds/feed-content.ts';
import {
  type AffectedComponent,
  type Finding,
  type FindingClocks,
  type Verdict,
  verdicts,
} from '../model/index.ts';
import { type Judgement, rules } from './judgement.ts';

/**
 * mergeJudgements makes one finding of everything said about one flaw; pure. In each component the best rule decides
 * and the others are kept as evidence; sources that contradict it make the finding disputed.
 */
export function mergeJudgements(
  vulnerability: Finding['vulnerability'],
  judgements: readonly Judgement[],
  details: readonly FlawDetail[],
  seenAt: string | undefined,
): Finding {
  const byComponent = Map.groupBy(judgements, ({ component }) => componentKey(component));
  const decided = [...byComponent.values()]
    .map(decide)
    .sort((a, b) => worst(a.best.verdict) - worst(b.best.verdict));
  const [first] = decided;
  const lead = first?.best;
  const verdict = lead?.verdict ?? 'unknown';
  const stance = lead?.stance ?? judgements.find((each) => each.stance !== undefined)?.stance;
  const title =
    details.find((detail) => detail.title !== undefined)?.title ??
    judgements.find((each) => each.title !== undefined)?.title;
  const knownExploited = details.find((detail) => detail.knownExploited)?.knownExploited;
  const prediction = details.find((detail) => detail.prediction)?.prediction;
  const since = lead?.unknownSince;
  return {
    vulnerability: { ...vulnerability, state: stateOf(judgements, details) },
    verdict,
    reason: lead?.reason ?? 'no source says anything about it',
    ...(verdict === 'not-affected' && lead?.justification !== undefined
      ? { justification: lead.justification }
      : {}),
    components: decided.filter(({ best }) => best.verdict === verdict).map(({ component }) => component),
    severities: details.flatMap(({ severities }) => severities),
    ...(stance === undefined ? {} : { stance }),
    ...(knownExploited ? { knownExploited } : {}),
    ...(prediction ? { prediction } : {}),
    ...(title === undefined ? {} : { title }),
    clocks: clocksOf(
      decided.map(({ best }) => best),
      judgements,
      details,
      seenAt,
    ),
    ...(verdict === 'unknown' && since !== undefined ? { unknownSince: since } : {}),
    evidence: decided.flatMap(({ evidence }) => evidence),
    disputed: decided.some(({ disputed }) => disputed),
    feeds: [
      ...new Set([...judgements.flatMap(({ feeds }) => feeds), ...details.map(({ feed }) => feed)]),
    ].sort(),
  };
}

function decide(judgements: readonly Judgement[]) {
  const ordered = [...judgements].sort(
    (a, b) => rules.indexOf(a.rule) - rules.indexOf(b.rule) || worst(a.verdict) - worst(b.verdict),
  );
  const [best, ...rest] = ordered as [Judgement, ...Judgement[]];
  // A source that could not tell does not outweigh one that can: "unknown" gives way to what the next rule knows is open.
  const decisive =
    best.verdict === 'unknown' ? (rest.find(({ verdict }) => verdict === 'open') ?? best) : best;
  const others = ordered.filter((each) => each !== decisive);
  const against = others.filter((each) => each.verdict !== decisive.verdict && each.verdict !== 'unknown');
  const component: AffectedComponent = {
    ...others.map((each) => each.component).reduce(withFix, decisive.component),
  };
  return {
    best: decisive,
    component,
    evidence: [...decisive.evidence, ...others.flatMap(({ evidence }) => evidence)],
    disputed: decisive.verdict !== 'unknown' && against.length > 0,
  };
}

/** The version to move to may be known to another source than the one that decides. */
function withFix(component: AffectedComponent, other: AffectedComponent): AffectedComponent {
  return {
    ...component,
    ...(component.fixVersion === undefined && other.fixVersion !== undefined
      ? { fixVersion: other.fixVersion }
      : {}),
    ...(component.fixSuite === undefined && other.fixSuite !== undefined ? { fixSuite: other.fixSuite } : {}),
  };
}

function clocksOf(
  decisive: readonly Judgement[],
  all: readonly Judgement[],
  details: readonly FlawDetail[],
  seenAt: string | undefined,
): FindingClocks {
  const earliest = (pick: (clocks: FindingClocks) => string | undefined, list: readonly Judgement[]) =>
    list.flatMap(({ clocks }) => pick(clocks) ?? []).sort()[0];
  const disclosedAt = [
    ...details.flatMap((detail) => detail.disclosedAt ?? []),
    ...all.flatMap(({ clocks }) => clocks.disclosedAt ?? []),
  ].sort()[0];
  const fixMadeAt = earliest(({ fixMadeAt: at }) => at, decisive) ?? earliest(({ fixMadeAt: at }) => at, all);
  const fixAvailableAt =
    earliest(({ fixAvailableAt: at }) => at, decisive) ?? earliest(({ fixAvailableAt: at }) => at, all);
  return {
    ...(disclosedAt === undefined ? {} : { disclosedAt }),
    ...(seenAt === undefined ? {} : { seenAt }),
    ...(fixMadeAt === undefined ? {} : { fixMadeAt }),
    ...(fixAvailableAt === undefined ? {} : { fixAvailableAt }),
  };
}

function stateOf(
  judgements: readonly Judgement[],
  details: readonly FlawDetail[],
): Finding['vulnerability']['state'] {
  const states = new Set([...judgements, ...details].map(({ state }) => state));
  if (states.has('rejected')) return 'rejected';
  if (states.has('disputed')) return 'disputed';
  return states.has('withdrawn') && !states.has('active') ? 'withdrawn' : 'active';
}

function componentKey({ ecosystem, name, version, via, files }: AffectedComponent): string {
  // Two programs with the same module are two things to compile anew.
  return [ecosystem, name, version, via ?? '', ecosystem === 'debian' ? '' : files.join(' ')].join('\n');
}

function worst(verdict: Verdict): number {
  return verdicts.indexOf(verdict);
}
