/** Time lost waiting for one resource; shares are 0 to 1 of the last 10, 60 and 300 seconds. */
export interface Pressure {
  readonly some10: number;
  readonly some60: number;
  readonly some300: number;
  readonly full10: number;
  readonly full60: number;
  readonly full300: number;
}

/**
 * parsePressure reads a file of PSI (Linux Documentation/accounting/psi.rst); undefined when it has neither line. Some files
 * have one of the two lines only: the other's shares are 0.
 */
export function parsePressure(text: string): Pressure | undefined {
  const some = averages(text, 'some');
  const full = averages(text, 'full');
  if (!some && !full) return undefined;
  const [some10, some60, some300] = some ?? [0, 0, 0];
  const [full10, full60, full300] = full ?? [0, 0, 0];
  return { some10, some60, some300, full10, full60, full300 };
}

function averages(text: string, kind: 'some' | 'full'): [number, number, number] | undefined {
  const match = new RegExp(`^${kind} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+)`, 'm').exec(text);
  return match ? [share(match[1]), share(match[2]), share(match[3])] : undefined;
}

/** The kernel writes percent with two digits. */
function share(percent: string | undefined): number {
  return Math.round(Number(percent) * 100) / 10_000;
}
