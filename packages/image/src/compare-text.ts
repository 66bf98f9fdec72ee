/** compareText orders strings by code unit, the same in every locale; for sorted output that must be reproducible. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
