import { decodeText } from '@plinth/formats';
import { readMeasuredVariable } from '../log/describe-firmware-event.ts';
import type { MeasuredEvent } from '../log/measured-event.ts';
import type { Reference, ReferenceEvent, ReferenceRegister } from './reference.ts';

/** One line of a comparison: an event that was expected, found, or both. */
export interface ComparedEvent {
  readonly pcr: number;
  readonly state: 'same' | 'unexpected' | 'missing';
  /** What it is, by the reference; by the log where the reference does not know it. */
  readonly what: string;
  /** SHA-256 of the reference; absent where it names none. */
  readonly expected?: string;
  /** SHA-256 of the log. */
  readonly found?: string;
  readonly event?: MeasuredEvent;
}

/** compareEvents puts the events of a boot beside those of a release, for each register that the release knows. */
export function compareEvents(
  reference: Pick<Reference, 'registers'>,
  events: readonly MeasuredEvent[],
): ComparedEvent[] {
  return reference.registers.flatMap((register) =>
    compareRegister(
      register,
      events.filter(({ pcr }) => pcr === register.pcr),
    ),
  );
}

/** A boot may have come to any phase: the first few are no less sound than all, so it is held against what fits best. */
function compareRegister(
  { pcr, events, phases }: ReferenceRegister,
  found: readonly MeasuredEvent[],
): ComparedEvent[] {
  let best: { rows: ComparedEvent[]; differences: number } | undefined;
  for (let count = 0; count <= phases.length; count++) {
    const rows = align(pcr, [...events, ...phases.slice(0, count)], found);
    const differences = rows.filter(({ state }) => state !== 'same').length;
    if (!best || differences < best.differences) best = { rows, differences };
  }
  return best?.rows ?? [];
}

/** The longest run of events that both have, in order; what is left is missing or unexpected. */
function align(
  pcr: number,
  expected: readonly ReferenceEvent[],
  found: readonly MeasuredEvent[],
): ComparedEvent[] {
  const lengths = commonLengths(expected, found);
  const rows: ComparedEvent[] = [];
  const width = found.length + 1;
  for (let e = 0, f = 0; e < expected.length || f < found.length; ) {
    const [wanted, seen] = [expected[e], found[f]];
    const skipExpected = lengths[(e + 1) * width + f] ?? 0;
    const skipFound = lengths[e * width + f + 1] ?? 0;
    if (wanted && seen && fits(wanted, seen)) {
      rows.push({
        pcr,
        state: 'same',
        what: wanted.what,
        ...digestOf(wanted),
        found: seen.sha256,
        event: seen,
      });
      e++;
      f++;
    } else if (wanted && (!seen || skipExpected >= skipFound)) {
      rows.push({ pcr, state: 'missing', what: wanted.what, ...digestOf(wanted) });
      e++;
    } else if (seen) {
      const what = seen.description === '' ? seen.type : `${seen.type}: ${seen.description}`;
      rows.push({ pcr, state: 'unexpected', what, found: seen.sha256, event: seen });
      f++;
    }
  }
  return rows;
}

/** Length of the longest common run from each place on, row by row. */
function commonLengths(expected: readonly ReferenceEvent[], found: readonly MeasuredEvent[]): Uint16Array {
  const width = found.length + 1;
  const lengths = new Uint16Array((expected.length + 1) * width);
  for (let e = expected.length - 1; e >= 0; e--) {
    for (let f = found.length - 1; f >= 0; f--) {
      const [wanted, seen] = [expected[e], found[f]];
      const below = lengths[(e + 1) * width + f] ?? 0;
      const right = lengths[e * width + f + 1] ?? 0;
      const both = wanted && seen && fits(wanted, seen) ? (lengths[(e + 1) * width + f + 1] ?? 0) + 1 : 0;
      lengths[e * width + f] = Math.max(below, right, both);
    }
  }
  return lengths;
}

function digestOf(event: ReferenceEvent): { expected?: string } {
  return 'sha256' in event ? { expected: event.sha256 } : {};
}

/** Names and texts are looked at only where the log carries what was measured: a description proves nothing. */
function fits(wanted: ReferenceEvent, seen: MeasuredEvent): boolean {
  if ('sha256' in wanted) return wanted.sha256 === seen.sha256;
  if (!seen.content) return false;
  if ('textPrefix' in wanted) return decodeText(seen.content).startsWith(wanted.textPrefix);
  try {
    const { guid, name } = readMeasuredVariable(seen.content);
    return guid === wanted.variable.guid && name === wanted.variable.name;
  } catch {
    return false;
  }
}
