/** What JSON.parse gave, of which nothing is known yet. */
export type Raw = Readonly<Record<string, unknown>>;

const NOTHING: Raw = Object.freeze({});

/** rawAt is the map at a path, an empty one where there is none: objects of others may lack anything. */
export function rawAt(value: unknown, ...path: readonly string[]): Raw {
  let found: unknown = value;
  for (const name of path) found = isRaw(found) ? found[name] : undefined;
  return isRaw(found) ? found : NOTHING;
}

/** textOf is a text, "" for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** listOf is a list, an empty one for anything else: Go writes an empty list as null. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** textsOf keeps the texts of a map. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRaw(value)) return {};
  const texts: Record<string, string> = {};
  for (const [name, each] of Object.entries(value)) if (typeof each === 'string') texts[name] = each;
  return texts;
}

/** momentMs reads a moment of Kubernetes; 0 for what is none. */
export function momentMs(value: unknown): number {
  const ms = Date.parse(textOf(value));
  return Number.isFinite(ms) ? ms : 0;
}

function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
