import { printable } from '../output/printable.ts';

/** printableData makes every text in plain data safe for a terminal: names in an SBOM are whatever somebody wrote. */
export function printableData<T>(data: T): T {
  return map(data) as T;
}

function map(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(map);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, map(each)]));
}
