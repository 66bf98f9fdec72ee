import { type adviceReport, type Fact, type Finding, factsAt } from '@plinth/advisor';

type Parts = Parameters<typeof adviceReport>[0];

/** adviceData is an answer as JSON: rules and facts by id, each with its source. */
export function adviceData({ knowledge, advice, whatIfs, path, costs }: Parts) {
  const platforms = [advice.answers['platform'] ?? []].flat();
  const platform = platforms.length === 1 ? platforms[0] : undefined;
  return {
    asOf: advice.asOf,
    answers: advice.answers,
    first: advice.choices.filter(({ place }) => place === 1).map(({ system }) => system.id),
    open: advice.open.map(({ id }) => id),
    choices: advice.choices.map(({ system, standing, points, place, findings }) => ({
      id: system.id,
      name: system.name,
      standing,
      ...(place !== undefined && { place }),
      points,
      findings: findings.filter(({ state }) => state !== 'open').map(findingData),
      facts: [...factsAt(knowledge, system, advice.asOf, platform).values()].map(factData),
    })),
    whatIf: whatIfs,
    costOfChange: costs,
    path,
  };
}

function findingData({ rule, state, text, source, facts, platforms }: Finding) {
  return {
    rule: rule.id,
    effect: rule.effect,
    ...(rule.weight !== undefined && { weight: rule.weight }),
    state,
    reason: text,
    source,
    ...(platforms.length > 0 && { platforms }),
    facts: facts.map(factData),
  };
}

/** factData is a fact as JSON, without what is empty. */
export function factData({ conflicts, ...fact }: Fact) {
  return { ...fact, ...(conflicts.length > 0 && { conflicts }) };
}
