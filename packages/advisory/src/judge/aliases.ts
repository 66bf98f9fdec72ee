import { type IdScheme, schemeOf } from '../model/index.ts';

/** Which of several names is shown: the CVE first. */
const ORDER: readonly IdScheme[] = ['cve', 'ghsa', 'go', 'osv', 'dsa', 'dla', 'plinth', 'temp', 'update'];

/**
 * aliasSets joins names that mean one flaw (union-find over the given pairs) and gives for each name the one to show
 * and all names of its set, sorted; pure. An advisory number (DSA, DLA) names many flaws, so it joins nothing.
 */
export function aliasSets(
  ids: Iterable<string>,
  pairs: Iterable<readonly [string, string]>,
): (id: string) => { readonly id: string; readonly aliases: readonly string[] } {
  const parents = new Map<string, string>();
  const find = (id: string): string => {
    let root = id;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    // Shortens the way for the next one who asks.
    for (let at = id; at !== root; ) {
      const next = parents.get(at) ?? root;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  for (const [a, b] of pairs) {
    if (isAdvisory(a) || isAdvisory(b)) continue;
    const [left, right] = [find(a), find(b)];
    if (left !== right) parents.set(left, right);
  }
  const sets = new Map<string, Set<string>>();
  for (const id of [...ids, ...parents.keys(), ...parents.values()]) {
    const root = find(id);
    const set = sets.get(root);
    if (set) set.add(id);
    else sets.set(root, new Set([id]));
  }
  return (id) => {
    const all = [...(sets.get(find(id)) ?? [id])].sort(compareIds);
    const [first = id, ...aliases] = all;
    return { id: first, aliases: aliases.sort() };
  };
}

function isAdvisory(id: string): boolean {
  const scheme = schemeOf(id);
  return scheme === 'dsa' || scheme === 'dla';
}

/** compareIds orders names: by who gave them, then by year and number. */
export function compareIds(a: string, b: string): number {
  const order = rank(a) - rank(b);
  return order !== 0 ? order : a.localeCompare(b, 'en', { numeric: true });
}

function rank(id: string): number {
  const scheme = schemeOf(id);
  return scheme === undefined ? ORDER.length : ORDER.indexOf(scheme);
}
