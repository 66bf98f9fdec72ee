/** A version of Go modules or npm, "v1.2.3-rc.1+incompatible", in its parts; undefined when it is none. */
interface Parsed {
  readonly numbers: readonly [number, number, number];
  readonly before: readonly string[];
}

/** Also "1.22" and "1.24rc1", as Go names its toolchains. */
function parse(text: string): Parsed | undefined {
  const match =
    /^(?:v|go)?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]{1,200})|((?:rc|beta)\d{1,4}))?(?:\+[0-9A-Za-z.-]*)?(?: .*)?$/.exec(
      text,
    );
  if (!match) return undefined;
  const [, major = '0', minor = '0', patch = '0', pre, goPre] = match;
  const before = pre ?? goPre?.replace(/^(rc|beta)/, '$1.');
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    before: before === undefined ? [] : before.split('.'),
  };
}

/**
 * compareSemver orders two versions by Semantic Versioning 2.0.0, section 11; build metadata does not count.
 * Undefined when one of them is no such version: then nothing may be concluded.
 */
export function compareSemver(a: string, b: string): number | undefined {
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return undefined;
  for (const [index, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.before.length === 0 || right.before.length === 0) return right.before.length - left.before.length;
  for (let index = 0; index < Math.max(left.before.length, right.before.length); index++) {
    const [one, other] = [left.before[index], right.before[index]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const difference = compareIdentifiers(one, other);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareIdentifiers(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
