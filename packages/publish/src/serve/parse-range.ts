/** The bytes to answer with, both ends included; "unsatisfiable" begins behind the end; undefined: the whole file. */
export type ByteRange = { readonly first: number; readonly last: number } | 'unsatisfiable' | undefined;

/**
 * parseRange reads a Range header (RFC 9110, 14.2) for a file of this size. One range is served; what is not understood and
 * lists of ranges are passed over, as the RFC allows, and the whole file is sent.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange {
  const [, firstText = '', lastText = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (firstText === '' && lastText === '') return undefined;
  if (firstText === '') {
    const suffix = Number(lastText);
    if (suffix === 0 || sizeBytes === 0) return 'unsatisfiable';
    return { first: Math.max(0, sizeBytes - suffix), last: sizeBytes - 1 };
  }
  const first = Number(firstText);
  const last = lastText === '' ? sizeBytes - 1 : Number(lastText);
  if (lastText !== '' && last < first) return undefined;
  if (first >= sizeBytes) return 'unsatisfiable';
  return { first, last: Math.min(last, sizeBytes - 1) };
}
