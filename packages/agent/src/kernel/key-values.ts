/**
 * parseKeyValues reads lines KEY=value, as in os-release, sysfs uevent files and the output of `systemctl show`.
 * Quotes around a value are taken off and backslashes undone, as os-release(5) demands.
 */
export function parseKeyValues(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const equals = line.indexOf('=');
    if (equals < 1 || line.startsWith('#')) return [];
    return [[line.slice(0, equals), unquote(line.slice(equals + 1).trimEnd())]];
  });
  return new Map(pairs);
}

function unquote(value: string): string {
  const quoted = /^"(.*)"$|^'(.*)'$/s.exec(value);
  if (!quoted) return value;
  return quoted[2] ?? (quoted[1] ?? '').replace(/\\(.)/gs, '$1');
}
