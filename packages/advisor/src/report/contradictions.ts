import type { Advice } from '../advise/advise.ts';
import { type Conflict, type Fact, factsAt } from '../facts/at-date.ts';
import type { Knowledge } from '../facts/load.ts';

/** Two sources that say different things about a system that is left. */
export interface Contradiction {
  readonly system: string;
  readonly fact: Fact;
  readonly conflict: Conflict;
}

/** contradictionsOf lists what sources disagree about, for every system that is not out, on the platforms of the answers. */
export function contradictionsOf(knowledge: Knowledge, advice: Advice): readonly Contradiction[] {
  const named = [advice.answers['platform'] ?? []].flat();
  const platforms = named.length === 0 ? [undefined] : named;
  const found = advice.choices
    .filter(({ standing }) => standing !== 'out')
    .flatMap(({ system }) =>
      platforms
        .flatMap((platform) => [...factsAt(knowledge, system, advice.asOf, platform).values()])
        .flatMap((fact) => fact.conflicts.map((conflict) => ({ system: system.name, fact, conflict }))),
    );
  // What holds wherever a system runs is found on each platform.
  const told = ({ system, fact, conflict }: Contradiction) =>
    JSON.stringify([system, fact.key, fact.value, conflict.value, conflict.source.title]);
  return [...new Map(found.map((one) => [told(one), one])).values()];
}
