/** isRecord tells an object of JSON from its other values; a list is one too. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A file of keys: what it says of itself, and its entries. */
interface KeyList<Entry> {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly keys: readonly Entry[];
}

/** parseKeyList reads a file of keys in format 1; undefined when it is damaged or one entry is. Never throws. */
export function parseKeyList<Entry>(
  text: string,
  parseEntry: (value: Readonly<Record<string, unknown>>) => Entry | undefined,
): KeyList<Entry> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: reported by the caller as damaged.
    return undefined;
  }
  if (!isRecord(value) || value['format'] !== 1 || !Array.isArray(value['keys'])) return undefined;
  const entries: readonly unknown[] = value['keys'];
  const keys = entries
    .filter(isRecord)
    .map(parseEntry)
    .filter((key) => key !== undefined);
  return keys.length === entries.length ? { fields: value, keys } : undefined;
}
