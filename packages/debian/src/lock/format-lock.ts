import type { Lock, LockedPackage } from './lock.ts';

/** How a package is split over lines: what a reviewer looks at first, then where it is, then what it is. */
const PACKAGE_LINES: readonly (readonly (keyof LockedPackage)[])[] = [
  ['name', 'version', 'source', 'sourceVersion'],
  ['why'],
  ['archive', 'suite', 'path'],
  ['sizeBytes', 'sha256'],
  ['builtUsing'],
  ['staticBuiltUsing'],
];

/** formatLock writes a lock as JSON that always looks the same and in which an upgrade is a few changed lines. */
export function formatLock(lock: Lock): string {
  const packages = lock.packages.map((item) =>
    record(PACKAGE_LINES.map((keys) => members(keys.map((key) => [key, item[key]])))),
  );
  const indexes = lock.indexes.map(({ inReleaseSha256, packagesSha256, ...about }) =>
    record([
      members(Object.entries(about)),
      members([['inReleaseSha256', inReleaseSha256]]),
      members([['packagesSha256', packagesSha256]]),
    ]),
  );
  return [
    '{',
    `  "format": ${lock.format},`,
    `  "architecture": ${JSON.stringify(lock.architecture)},`,
    `  "created": ${JSON.stringify(lock.created)},`,
    `  "specDigest": ${JSON.stringify(lock.specDigest)},`,
    `  "indexes": ${list(indexes)},`,
    `  "packages": ${list(packages)}`,
    '}\n',
  ].join('\n');
}

function members(pairs: readonly (readonly [key: string, value: unknown])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(', ');
}

function record(lines: readonly string[]): string {
  return `    { ${lines.filter((line) => line !== '').join(',\n      ')} }`;
}

function list(records: readonly string[]): string {
  return records.length === 0 ? '[]' : `[\n${records.join(',\n')}\n  ]`;
}
