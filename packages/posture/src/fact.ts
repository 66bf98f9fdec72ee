import type { Condition, Profile } from './profile.ts';

/** One fact of a node. */
export type Fact =
  | { readonly state: 'present'; readonly value: string; readonly source: string; readonly shown?: string }
  | { readonly state: 'absent'; readonly source: string }
  | { readonly state: 'unknown'; readonly source: string; readonly reason: string };

/** What is known of a node, by the names of facts; checks of the node are facts with the value "pass" or "fail". */
export type Facts = ReadonlyMap<string, Fact>;

/** Kinds of facts that are checks of the node and not asked for by name. */
const CHECKS: readonly string[] = ['integrity', 'health'];

/** factNames are the facts that a node has to be asked for by name, each once, sorted. */
export function factNames(profiles: readonly Profile[]): readonly string[] {
  const names = new Set<string>();
  const walk = (condition: Condition): void => {
    for (const name of [condition.fact, ...(condition.absent ?? [])]) {
      if (name !== undefined && !CHECKS.includes(name.slice(0, name.indexOf('/')))) names.add(name);
    }
    for (const inner of [...(condition.all ?? []), ...(condition.any ?? [])]) walk(inner);
  };
  for (const { holds, notApplicable, accepted } of profiles.flatMap(({ claims }) => claims)) {
    if (holds) walk(holds);
    if (notApplicable) walk(notApplicable.proof);
    if (typeof accepted === 'object') walk(accepted.proof);
  }
  return [...names].sort();
}
