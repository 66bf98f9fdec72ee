/** Kubernetes minors as "1.34", and ranges of them as data says it: "all", ">=1.32", "<=1.36", "1.28-1.36". */

const RANGE = /^(?:all|([<>]=)(\d+\.\d+)|(\d+\.\d+)-(\d+\.\d+))$/;

/** isRange tells a range of versions from any other text. */
export function isRange(text: string): boolean {
  return RANGE.test(text);
}

/** compareVersions orders dotted numbers by their parts; a missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = (left[i] ?? 0) - (right[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function parts(version: string): number[] {
  return version
    .replace(/^v/, '')
    .split(/[.-]/)
    .map((part) => Number.parseInt(part, 10) || 0);
}

/** minorOf is "1.34" of "v1.34.2", "1.34.1-gke.2364000" and "1.34"; undefined when the text is no version. */
export function minorOf(version: string): string | undefined {
  const found = /^v?(\d+)\.(\d+)/.exec(version);
  return found ? `${found[1]}.${found[2]}` : undefined;
}

/** covers says whether a version lies in a range. */
export function covers(range: string, version: string): boolean {
  const [, sign, bound, from, to] = RANGE.exec(range) ?? [];
  const minor = minorOf(version) ?? version;
  if (sign && bound)
    return sign === '>=' ? compareVersions(minor, bound) >= 0 : compareVersions(minor, bound) <= 0;
  if (from && to) return compareVersions(minor, from) >= 0 && compareVersions(minor, to) <= 0;
  return range === 'all';
}
