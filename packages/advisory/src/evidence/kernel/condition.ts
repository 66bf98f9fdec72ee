/**
 * When a file is compiled into the kernel: alternatives, each a list of configuration symbols that must all be on.
 * An empty alternative means always; the symbol "?" stands for something this reader could not read, and is never off.
 */
export type BuildCondition = readonly (readonly string[])[];

export const ALWAYS: BuildCondition = [[]];
export const NEVER: BuildCondition = [];
export const UNREAD: BuildCondition = [['?']];

/** Alternatives beyond this number make a condition unread: no real file has more. */
const ALTERNATIVE_LIMIT = 64;

/** both gives the condition that both hold. */
export function both(left: BuildCondition, right: BuildCondition): BuildCondition {
  return simplified(left.flatMap((first) => right.map((second) => [...first, ...second])));
}

/** either gives the condition that one of two holds. */
export function either(left: BuildCondition, right: BuildCondition): BuildCondition {
  return simplified([...left, ...right]);
}

function simplified(alternatives: readonly (readonly string[])[]): BuildCondition {
  const sorted = alternatives.map((symbols) => [...new Set(symbols)].sort());
  const unique = new Map(sorted.map((symbols) => [symbols.join('&'), symbols]));
  const kept = [...unique.values()].filter(
    (symbols) =>
      ![...unique.values()].some(
        (other) => other.length < symbols.length && other.every((symbol) => symbols.includes(symbol)),
      ),
  );
  return kept.length > ALTERNATIVE_LIMIT ? UNREAD : kept;
}

/**
 * isOff tells whether the condition surely fails under a configuration: each alternative has a symbol that is off.
 * @param isOn whether a symbol ("F2FS_FS", without CONFIG_) is "y" or "m"
 */
export function isOff(condition: BuildCondition, isOn: (symbol: string) => boolean): boolean {
  return condition.every((symbols) => symbols.some((symbol) => symbol !== '?' && !isOn(symbol)));
}

/** isSurelyOn tells whether an alternative holds without anything unread in it. */
export function isSurelyOn(condition: BuildCondition, isOn: (symbol: string) => boolean): boolean {
  return condition.some((symbols) => symbols.every((symbol) => symbol !== '?' && isOn(symbol)));
}

/** formatCondition writes "A&B|C"; "y" for always. */
export function formatCondition(condition: BuildCondition): string {
  return condition.map((symbols) => (symbols.length === 0 ? 'y' : symbols.join('&'))).join('|');
}

/** parseCondition reads what formatCondition wrote. */
export function parseCondition(text: string): BuildCondition {
  return text.split('|').map((symbols) => (symbols === 'y' ? [] : symbols.split('&')));
}
