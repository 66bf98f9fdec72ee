/** isoTime is a time of the node API in RFC 3339; "<unknown>" when the node sent none. */
export function isoTime(time: { readonly seconds: bigint; readonly nanos: number } | undefined): string {
  if (!time) return '<unknown>';
  const date = new Date(Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6));
  return Number.isNaN(date.getTime()) ? '<unknown>' : date.toISOString();
}
