import { usageError } from '../framework/usage-error.ts';

/** readPairs reads "fips=required,gpu=none" as a map; `option` is named when it is something else. @throws cli/usage */
export function readPairs(option: string, text: string | undefined): Readonly<Record<string, string>> {
  const pairs = (text ?? '').split(',').filter((word) => word.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw usageError(
          `value of ${option} has "${pair.trim()}", expected the form name=value with commas between`,
        );
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}
