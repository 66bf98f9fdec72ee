/** Reading of values whose shape somebody else decides: what is not of the expected type is not there. */

export type Fields = Readonly<Record<string, unknown>>;

/** fieldsOf is a value as a map; an empty one when it is none. */
export function fieldsOf(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

/** listOf is a value as a list of maps; an empty one when it is none. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** textOf is a value as a text; undefined when it is none, or an empty one. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** countOf is a value as a number of nodes; undefined when it is none. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** yesNo is a switch as yes or no; absent when it is not told. */
export function yesNo(value: unknown): string | undefined {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : undefined;
}

/** known keeps what has a value. */
export function known(
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
