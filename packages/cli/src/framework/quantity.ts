import type { ValueSpec } from './options.ts';

/** Least, greatest and usual value of an option, written as a person writes it: "15m", "10MiB". */
export interface QuantityBounds {
  readonly min: string;
  readonly max: string;
  readonly fallback: string;
}

/** A kind of quantity: a whole number and its unit, without a space. */
export interface Quantity {
  /** The quantity in the smallest terms of `units`; NaN for any other text. */
  readonly read: (text: string) => number;
  /** An option that takes such a quantity within bounds. */
  readonly option: (bounds: QuantityBounds, help: string) => ValueSpec<number>;
}

/**
 * quantity makes a kind of quantity from the worth of its units.
 * @param placeholder what stands for it in help, e.g. "TIME"
 * @param noun what errors call it, e.g. "a time"
 */
export function quantity(
  units: Readonly<Record<string, number>>,
  placeholder: string,
  noun: string,
): Quantity {
  const form = new RegExp(`^(\\d{1,9})(${Object.keys(units).join('|')})$`);
  const read = (text: string) => {
    const [, count, unit = ''] = form.exec(text) ?? [];
    return Number(count) * (units[unit] ?? Number.NaN);
  };
  const option: Quantity['option'] = ({ min, max, fallback }, help) => ({
    placeholder,
    help,
    shownDefault: fallback,
    read: (raw) => {
      if (typeof raw !== 'string') return read(fallback);
      const value = read(raw);
      if (value >= read(min) && value <= read(max)) return value;
      throw new RangeError(`"${raw}", expected ${noun} from ${min} to ${max}, such as ${fallback}`);
    },
  });
  return { read, option };
}
