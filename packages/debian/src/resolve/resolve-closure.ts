import { PlinthError } from '@plinth/base';
import type { ArchiveIndex, BinaryPackage } from '../archive/package-index.ts';
import { buildCatalogue, type Catalogue } from './catalogue.ts';
import type { PackageSet } from './package-set.ts';
import { type RelationGroup, showRelation } from './relation.ts';

/** A chosen package and why it is there: the reason given in the list, or the package that needs it. */
export interface ResolvedPackage {
  readonly item: BinaryPackage;
  readonly why: string;
}

export interface Closure {
  /** Sorted by name. */
  readonly packages: readonly ResolvedPackage[];
  /** Dropped names that nothing chosen depends on: the list can lose them. */
  readonly unusedDrops: readonly string[];
}

/**
 * resolveClosure finds all packages that the set needs: Depends and Pre-Depends, without Recommends. Dependencies with
 * one possible answer are followed first, until nothing changes; only then is an alternative chosen, the first listed
 * one, for the first package by name. So the result does not depend on the order of anything in the indexes.
 * @param label what the packages are for; the first word of the chain in messages
 * @throws debian/unsatisfiable, debian/conflict
 */
export function resolveClosure(
  set: PackageSet,
  indexes: readonly ArchiveIndex[],
  label = 'plinth',
  architecture = 'amd64',
): Closure {
  const suiteOf = new Map(set.packages.flatMap(({ name, suite }) => (suite ? [[name, suite] as const] : [])));
  const catalogue = buildCatalogue(indexes, suiteOf, architecture);
  const search = new Search(catalogue, new Set(set.dropped.map(({ name }) => name)), label);
  for (const { name } of [...set.packages].sort(byName)) search.want(name);
  search.settle();
  search.refuseConflicts();

  const reasons = new Map(set.packages.map(({ name, reason }) => [name, reason]));
  const needers = search.firstNeeders(set.packages.map(({ name }) => name).sort());
  const packages = [...search.chosen.values()].sort(byName).map((item) => {
    const why = reasons.get(item.name) ?? `needed by ${needers.get(item.name) ?? label}`;
    return { item, why };
  });
  const unusedDrops = set.dropped.map(({ name }) => name).filter((name) => !search.usedDrops.has(name));
  return { packages, unusedDrops: unusedDrops.sort() };
}

/** The state of one resolution. */
class Search {
  readonly chosen = new Map<string, BinaryPackage>();
  readonly usedDrops = new Set<string>();
  readonly #parents = new Map<string, string>();
  readonly #queue: BinaryPackage[] = [];
  readonly #open: { readonly item: BinaryPackage; readonly group: RelationGroup }[] = [];
  readonly #catalogue: Catalogue;
  readonly #dropped: ReadonlySet<string>;
  readonly #label: string;

  constructor(catalogue: Catalogue, dropped: ReadonlySet<string>, label: string) {
    this.#catalogue = catalogue;
    this.#dropped = dropped;
    this.#label = label;
  }

  want(name: string): void {
    const item = this.#catalogue.candidate(name);
    if (!item) throw this.#unsatisfiable(undefined, [{ name }]);
    this.#choose(item, undefined);
  }

  /** Follows dependencies to the end. */
  settle(): void {
    for (;;) {
      for (let item = this.#queue.shift(); item; item = this.#queue.shift()) this.#follow(item);
      // Alternatives seen earlier may have been satisfied since.
      this.#open.sort((a, b) => byName(a.item, b.item));
      const next = this.#open.shift();
      if (!next) return;
      if (this.#isSatisfied(next.group)) continue;
      const options = this.#options(next.group);
      const peaceful = options.find((option) => this.#foeOf(option) === undefined);
      const option = peaceful ?? options[0];
      if (option) this.#choose(option, next.item);
    }
  }

  /** Refuses two chosen packages that exclude each other (Conflicts, Breaks). */
  refuseConflicts(): void {
    for (const item of [...this.chosen.values()].sort(byName)) {
      for (const relation of this.#catalogue.enemies(item)) {
        const foe = this.#chosenMatch(relation.name, (other) => {
          // A package may conflict with a name it provides itself: "only one of us" (Debian Policy 7.4).
          return other !== item && this.#catalogue.fulfils(other, relation);
        });
        if (!foe) continue;
        const [left, right] = [this.#chain(item.name), this.#chain(foe.name)];
        throw new PlinthError(
          'debian/conflict',
          `Cannot install ${left} with ${right}: ${item.name} excludes ${showRelation(relation)}, expected them to agree`,
        );
      }
    }
  }

  /** For each chosen package the one that needs it, on a shortest way from the wanted ones. */
  firstNeeders(wanted: readonly string[]): Map<string, string> {
    const needers = new Map<string, string>(wanted.map((name) => [name, this.#label]));
    let level = [...wanted];
    while (level.length > 0) {
      const next: string[] = [];
      for (const name of level) {
        const item = this.chosen.get(name);
        for (const group of item ? this.#catalogue.dependencies(item) : []) {
          for (const relation of group) {
            const answer = this.#chosenMatch(relation.name, (other) =>
              this.#catalogue.fulfils(other, relation),
            );
            if (!answer || needers.has(answer.name)) continue;
            needers.set(answer.name, name);
            next.push(answer.name);
          }
        }
      }
      level = next.sort();
    }
    return needers;
  }

  #follow(item: BinaryPackage): void {
    for (const group of this.#catalogue.dependencies(item)) {
      if (this.#isSatisfied(group)) continue;
      const options = this.#options(group);
      const [only] = options;
      if (!only) throw this.#unsatisfiable(item, group);
      if (options.length === 1) this.#choose(only, item);
      else this.#open.push({ item, group });
    }
  }

  #choose(item: BinaryPackage, parent: BinaryPackage | undefined): void {
    if (this.chosen.has(item.name)) return;
    this.chosen.set(item.name, item);
    if (parent) this.#parents.set(item.name, parent.name);
    this.#queue.push(item);
  }

  #options(group: RelationGroup): BinaryPackage[] {
    return [...new Set(group.flatMap((relation) => this.#catalogue.matching(relation)))];
  }

  #isSatisfied(group: RelationGroup): boolean {
    let satisfied = false;
    for (const relation of group) {
      const dropped = this.#droppedMatch(relation.name);
      if (dropped) this.usedDrops.add(dropped);
      satisfied ||=
        dropped !== undefined ||
        this.#chosenMatch(relation.name, (item) => this.#catalogue.fulfils(item, relation)) !== undefined;
    }
    return satisfied;
  }

  #droppedMatch(name: string): string | undefined {
    if (this.#dropped.has(name)) return name;
    return this.#catalogue.matching({ name }).find((item) => this.#dropped.has(item.name))?.name;
  }

  /** The chosen package that goes by this name, itself or as a provider, and passes the test. */
  #chosenMatch(name: string, test: (item: BinaryPackage) => boolean): BinaryPackage | undefined {
    const own = this.chosen.get(name);
    if (own && test(own)) return own;
    return this.#catalogue.matching({ name }).find((item) => this.chosen.has(item.name) && test(item));
  }

  #foeOf(item: BinaryPackage): BinaryPackage | undefined {
    for (const relation of this.#catalogue.enemies(item)) {
      const foe = this.#chosenMatch(relation.name, (other) => this.#catalogue.fulfils(other, relation));
      if (foe) return foe;
    }
    return [...this.chosen.values()].find((other) =>
      this.#catalogue.enemies(other).some((relation) => this.#catalogue.fulfils(item, relation)),
    );
  }

  /** "plinth -> a -> b": how the package came to be wanted. */
  #chain(name: string): string {
    const names = [name];
    for (let at = this.#parents.get(name); at !== undefined; at = this.#parents.get(at)) names.unshift(at);
    return [this.#label, ...names].join(' -> ');
  }

  #unsatisfiable(item: BinaryPackage | undefined, group: RelationGroup): PlinthError {
    const chain = item ? this.#chain(item.name) : this.#label;
    const states = [...new Set(group.map(({ name }) => name))].map((name) => {
      const newest = this.#catalogue.candidate(name);
      return newest ? `newest ${name} is ${newest.version}` : `there is no ${name}`;
    });
    const needs = group.map(showRelation).join(' | ');
    return new PlinthError(
      'debian/unsatisfiable',
      `Cannot resolve ${chain} needs ${needs}: ${states.join(', ')}`,
    );
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
