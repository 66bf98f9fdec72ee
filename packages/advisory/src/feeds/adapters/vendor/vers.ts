import type { AffectedRange } from '../../feed-content.ts';

const LIMIT_CHARACTERS = 5_000;

/**
 * parseVers reads versions in the "vers" form that CSAF recommends for ranges, "vers:deb/>=1.0|<1.2|1.4"; pure.
 * @returns undefined for anything else: words, other comparators, bounds in another order
 */
export function parseVers(
  text: string,
): { readonly ranges: readonly AffectedRange[]; readonly versions: readonly string[] } | undefined {
  if (text.length > LIMIT_CHARACTERS) return undefined;
  const [, list] = /^vers:[a-z][a-z0-9.+-]*\/(.+)$/.exec(text) ?? [];
  if (list === undefined) return undefined;
  if (list === '*') return { ranges: [{ introduced: '0' }], versions: [] };
  const ranges: AffectedRange[] = [];
  const versions: string[] = [];
  let introduced: string | undefined;
  for (const part of list.split('|')) {
    const [, comparator = '', escaped = ''] = /^(>=|<=|<|=|)([^<>=!*|\s]+)$/.exec(part) ?? [];
    const version = decoded(escaped);
    if (version === undefined || version === '') return undefined;
    if (comparator === '>=') {
      if (introduced !== undefined) return undefined;
      introduced = version;
    } else if (comparator === '<' || comparator === '<=') {
      // An upper bound without a lower one is for the first range only: after another one it would hold that too.
      if (introduced === undefined && ranges.length > 0) return undefined;
      const end = comparator === '<' ? { fixed: version } : { lastAffected: version };
      ranges.push({ introduced: introduced ?? '0', ...end });
      introduced = undefined;
    } else if (introduced !== undefined) return undefined;
    else versions.push(version);
  }
  if (introduced !== undefined) ranges.push({ introduced });
  return { ranges, versions };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign.
    return undefined;
  }
}
