/**
 * compareUapiVersions orders two image versions by the UAPI.10 Version Format: negative, zero or positive.
 * "~" sorts before the end of the string (pre-release), "^" after it (post-release), "-" starts a release part.
 * Source: UAPI.10, "Version comparison". Oracle in the tests: `systemd-analyze compare-versions`.
 */
export function compareUapiVersions(a: string, b: string): number {
  let left = a;
  let right = b;
  for (;;) {
    left = left.replace(/^[^A-Za-z0-9\-.~^]+/, '');
    right = right.replace(/^[^A-Za-z0-9\-.~^]+/, '');
    for (const [mark, whenOnlyLeft] of SEPARATORS) {
      const inLeft = mark === '' ? left === '' : left.startsWith(mark);
      const inRight = mark === '' ? right === '' : right.startsWith(mark);
      if (inLeft !== inRight) return inLeft ? whenOnlyLeft : -whenOnlyLeft;
      if (inLeft && inRight) {
        if (mark === '') return 0;
        left = left.slice(1);
        right = right.slice(1);
      }
    }
    const digits = /^[0-9]/.test(left) || /^[0-9]/.test(right);
    const pattern = digits ? /^[0-9]*/ : /^[A-Za-z]*/;
    const headLeft = pattern.exec(left)?.[0] ?? '';
    const headRight = pattern.exec(right)?.[0] ?? '';
    const order = digits ? compareNumbers(headLeft, headRight) : compareText(headLeft, headRight);
    if (order !== 0) return order;
    left = left.slice(headLeft.length);
    right = right.slice(headRight.length);
  }
}

/** The marks in the order UAPI.10 tests them, with the result when only the left side has the mark. */
const SEPARATORS: readonly (readonly [mark: string, whenOnlyLeft: number])[] = [
  ['~', -1],
  ['', -1],
  ['-', -1],
  ['^', -1],
  ['.', -1],
];

function compareNumbers(a: string, b: string): number {
  // A missing number is less than any number, "0" included.
  if ((a === '') !== (b === '')) return a === '' ? -1 : 1;
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
