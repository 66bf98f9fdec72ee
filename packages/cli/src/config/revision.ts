import type { ArgumentSpec } from '../framework/options.ts';

/** The number of a revision; 0 when it is left out. */
export function revisionArgument(placeholder: string, help: string): ArgumentSpec<number> {
  return {
    ...{ placeholder, help, required: false },
    read: (raw) => {
      if (raw === undefined) return 0;
      if (typeof raw === 'string' && /^[1-9]\d{0,8}$/.test(raw)) return Number(raw);
      throw new RangeError(`"${String(raw)}", expected the number of a revision`);
    },
  };
}
