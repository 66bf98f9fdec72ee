/** Order of one character in a Debian version: "~" before the end, letters before the rest (deb-version(7)). */
function rank(char: string | undefined): number {
  if (char === undefined) return 0;
  if (char === '~') return -1;
  if (/[0-9]/.test(char)) return 0;
  if (/[A-Za-z]/.test(char)) return char.charCodeAt(0);
  return char.charCodeAt(0) + 256;
}

function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a[i])) || (j < b.length && !isDigit(b[j]))) {
      const difference = rank(a[i]) - rank(b[j]);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const [numberA, nextI] = readNumber(a, i);
    const [numberB, nextJ] = readNumber(b, j);
    if (numberA.length !== numberB.length) return numberA.length - numberB.length;
    if (numberA !== numberB) return numberA < numberB ? -1 : 1;
    i = nextI;
    j = nextJ;
  }
  return 0;
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

/** Reads the digits at `start` without their leading zeros; numbers may be longer than any integer type. */
function readNumber(text: string, start: number): [digits: string, next: number] {
  let end = start;
  while (isDigit(text[end])) end++;
  return [text.slice(start, end).replace(/^0+/, ''), end];
}

function split(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = colon < 0 ? version : version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/**
 * compareDebianVersions orders two Debian package versions as dpkg does: negative, zero or positive.
 * Source: deb-version(7), Debian Policy 5.6.12. Oracle in the tests: `dpkg --compare-versions`.
 */
export function compareDebianVersions(a: string, b: string): number {
  const left = split(a);
  const right = split(b);
  return (
    comparePart(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}
