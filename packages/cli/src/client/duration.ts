/** durationMs is a duration of the node API in milliseconds; 0 when the node sent none. */
export function durationMs(
  duration: { readonly seconds: bigint; readonly nanos: number } | undefined,
): number {
  return duration ? Number(duration.seconds) * 1000 + duration.nanos / 1e6 : 0;
}
