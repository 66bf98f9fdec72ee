import { compareDebianVersions } from '@plinth/base';
import type { ArchiveIndex, BinaryPackage } from '../archive/package-index.ts';
import { parseRelations, type Relation, type RelationGroup, satisfies } from './relation.ts';

/** What can be chosen: for each name the one candidate, and who provides which name. */
export interface Catalogue {
  candidate(name: string): BinaryPackage | undefined;
  /** Packages that satisfy the relation, the one of that very name first, then providers in a fixed order. */
  matching(relation: Relation): readonly BinaryPackage[];
  /** Whether this package satisfies the relation by its name or by what it provides. */
  fulfils(item: BinaryPackage, relation: Relation): boolean;
  dependencies(item: BinaryPackage): readonly RelationGroup[];
  enemies(item: BinaryPackage): readonly Relation[];
}

/** apt's order of provider choice begins with the priority of the package (Debian Policy 2.5). */
const PRIORITIES = ['required', 'important', 'standard', 'optional', 'extra'];

/**
 * buildCatalogue picks the candidate of each name as apt does: from the suite asked for by name, else from the suites
 * that are taken automatically, else from the others; among those the newest version. The order of indexes is irrelevant.
 * @param suiteOf the suite asked for, by package name
 */
export function buildCatalogue(
  indexes: readonly ArchiveIndex[],
  suiteOf: ReadonlyMap<string, string>,
  architecture: string,
): Catalogue {
  const candidates = new Map<string, { item: BinaryPackage; automatic: boolean }>();
  for (const index of indexes) {
    for (const item of index.packages) {
      if (item.architecture !== architecture && item.architecture !== 'all') continue;
      const suite = suiteOf.get(item.name);
      if (suite !== undefined && suite !== index.suite) continue;
      const rival = candidates.get(item.name);
      const automatic = !index.notAutomatic;
      if (!rival || isBetter(item, automatic, rival)) candidates.set(item.name, { item, automatic });
    }
  }
  const providers = new Map<string, BinaryPackage[]>();
  for (const { item } of candidates.values()) {
    for (const { name } of relationsOf(item.provides).flat()) {
      const list = providers.get(name);
      if (list) list.push(item);
      else providers.set(name, [item]);
    }
  }
  for (const list of providers.values()) list.sort(byPriorityThenName);
  const runsHere = (item: BinaryPackage, { qualifier }: Relation) =>
    qualifier === undefined ||
    qualifier === 'native' ||
    qualifier === architecture ||
    (qualifier === 'any' && item.multiArch === 'allowed');

  const fulfils = (item: BinaryPackage, relation: Relation) =>
    runsHere(item, relation) &&
    ((item.name === relation.name && satisfies(item.version, relation)) || provides(item, relation));
  return {
    candidate: (name) => candidates.get(name)?.item,
    matching: (relation) => {
      const own = candidates.get(relation.name)?.item;
      const others = (providers.get(relation.name) ?? []).filter((item) => item !== own);
      return [...(own ? [own] : []), ...others].filter((item) => fulfils(item, relation));
    },
    fulfils,
    dependencies: (item) => [...relationsOf(item.preDepends), ...relationsOf(item.depends)],
    enemies: (item) => [...relationsOf(item.conflicts), ...relationsOf(item.breaks)].flat(),
  };
}

function isBetter(
  item: BinaryPackage,
  automatic: boolean,
  rival: { item: BinaryPackage; automatic: boolean },
): boolean {
  if (automatic !== rival.automatic) return automatic;
  const order = compareDebianVersions(item.version, rival.item.version);
  if (order !== 0) return order > 0;
  // The same version in two suites is the same file; name the first suite, whatever the order of indexes.
  return item.suite < rival.item.suite;
}

/** A versioned relation is satisfied only by a versioned Provides (Debian Policy 7.5). */
function provides(item: BinaryPackage, relation: Relation): boolean {
  return relationsOf(item.provides)
    .flat()
    .some((provided) => {
      if (provided.name !== relation.name) return false;
      if (!relation.constraint) return true;
      return provided.constraint?.operator === '=' && satisfies(provided.constraint.version, relation);
    });
}

function byPriorityThenName(a: BinaryPackage, b: BinaryPackage): number {
  const order = PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority);
  return order || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

const parsed = new Map<string, readonly RelationGroup[]>();

/** Fields repeat a lot and are asked for often; a field that cannot be read is a dependency nobody can satisfy. */
function relationsOf(field: string): readonly RelationGroup[] {
  if (field === '') return [];
  const known = parsed.get(field);
  if (known) return known;
  const groups = parseRelations(field) ?? [[{ name: field }]];
  parsed.set(field, groups);
  return groups;
}
