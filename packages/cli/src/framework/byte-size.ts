import { quantity } from './quantity.ts';

const sizes = quantity({ B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }, 'SIZE', 'a size');

/** byteSize is an option that takes a size, "4096B", "64KiB", "10MiB", "1GiB". Its value is in bytes. */
export const byteSize = sizes.option;
