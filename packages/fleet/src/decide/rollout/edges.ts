import { compareUapiVersions } from '@plinth/base';

/**
 * Whether a version is in one of the ranges that a release may be reached from: each is comparisons that all hold
 * (">=1.7.0 <2.0.0"); without ranges any version is. A range that cannot be read holds for none.
 */
export function hasEdge(version: string, ranges: readonly string[]): boolean {
  return ranges.length === 0 || ranges.some((range) => isInRange(version, range));
}

function isInRange(version: string, range: string): boolean {
  const parts = range.trim().split(/\s+/);
  return version !== '' && parts.every((part) => holds(version, part));
}

function holds(version: string, part: string): boolean {
  const match = /^(>=|<=|>|<|=)?([0-9A-Za-z][0-9A-Za-z.~^+_-]*)$/.exec(part);
  if (match === null) return false;
  const [, operator = '=', bound = ''] = match;
  const order = compareUapiVersions(version, bound);
  if (operator === '>=') return order >= 0;
  if (operator === '<=') return order <= 0;
  if (operator === '>') return order > 0;
  return operator === '<' ? order < 0 : order === 0;
}
