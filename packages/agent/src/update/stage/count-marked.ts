/** countMarked counts what is not 0. */
export function countMarked(marks: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < marks.length; at++) if (marks[at]) count++;
  return count;
}
