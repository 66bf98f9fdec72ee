import type { ValueSpec } from './options.ts';

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** sizeBytes reads a size, "4096B", "64KiB", "10MiB", "1GiB", in bytes; NaN for anything else. */
export function sizeBytes(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([KMG]iB|B)$/.exec(text) ?? [];
  return count === undefined ? Number.NaN : Number(count) * (UNIT_BYTES[unit] ?? Number.NaN);
}

/** byteSize is an option that takes a size, within bounds in the same form. Its value is in bytes. */
export function byteSize(
  bounds: { readonly min: string; readonly max: string; readonly fallback: string },
  help: string,
): ValueSpec<number> {
  const { min, max, fallback } = bounds;
  return {
    placeholder: 'SIZE',
    help,
    shownDefault: fallback,
    read: (raw) => {
      if (typeof raw !== 'string') return sizeBytes(fallback);
      const bytes = sizeBytes(raw);
      if (bytes >= sizeBytes(min) && bytes <= sizeBytes(max)) return bytes;
      throw new RangeError(`"${raw}", expected a size from ${min} to ${max}, such as ${fallback}`);
    },
  };
}
