/**
 * parseCounters reads lines "name value" and "Name: value kB", as in /proc/meminfo, /proc/vmstat, cpu.stat, memory.events.
 * Values in kB become bytes. Lines of another shape are left out.
 */
export function parseCounters(text: string): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  for (const [, name = '', value, unit] of text.matchAll(/^([\w().]+):?[ \t]+(\d+)( kB)?$/gm))
    counters.set(name, Number(value) * (unit === undefined ? 1 : 1024));
  return counters;
}
