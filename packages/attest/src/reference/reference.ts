import { PlinthError } from '@plinth/base';
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
const what = z.string().min(1).max(200);

/** One measurement that a sound boot makes. */
const event = z.union([
  /** Exactly these bytes. */
  z.strictObject({ what, sha256 }),
  /** A variable of the firmware by its name, whatever is in it. */
  z.strictObject({ what, variable: z.strictObject({ guid: z.guid(), name: z.string().max(100) }) }),
  /** A text that begins so; the rest is of the machine. */
  z.strictObject({ what, textPrefix: z.string().min(4).max(100) }),
]);

const register = z.strictObject({
  pcr: z.int().min(0).max(23),
  meaning: what,
  /** In this order, all of them, and no others. */
  events: z.array(event).max(64),
  /** After those, in this order; a boot that is not through yet has the first few. */
  phases: z.array(event).max(16),
});

/** Registers without which a reference would let anything pass, with the fewest events that each can have. */
const REQUIRED: ReadonlyMap<number, number> = new Map([
  ...[4, 7, 9, 11].map((pcr) => [pcr, 2] as const),
  ...[8, 12, 13, 14, 15].map((pcr) => [pcr, 0] as const),
]);

const schema = z.strictObject({
  format: z.literal(1),
  name: z.string().max(60),
  version: z.string().max(60),
  /** dm-verity root hash of the root file system. */
  rootHash: sha256,
  registers: z
    .array(register)
    .max(24)
    .refine((registers) => new Set(registers.map(({ pcr }) => pcr)).size === registers.length, 'each once')
    .refine(
      (registers) =>
        [...REQUIRED].every(([pcr, least]) =>
          registers.some((each) => each.pcr === pcr && each.events.length >= least),
        ),
      `expected PCR ${[...REQUIRED.keys()].join(', ')}, with events`,
    ),
});

/** What a release measures when it boots, event by event: the .reference.json beside its files. */
export type Reference = z.infer<typeof schema>;
export type ReferenceRegister = Reference['registers'][number];
export type ReferenceEvent = ReferenceRegister['events'][number];

/** A reference has some 10 KiB. */
export const REFERENCE_LIMIT_BYTES = 256 * 1024;

/** parseReference reads reference values. @param name the file's name, for messages @throws attest/reference-invalid */
export function parseReference(text: string, name: string): Reference {
  const result = schema.safeParse(text.length > REFERENCE_LIMIT_BYTES ? undefined : parseJson(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.length ? issue.path.join('.') : 'it';
  throw new PlinthError(
    'attest/reference-invalid',
    `Cannot read ${name}: ${where} is not valid (${issue?.message ?? 'unknown reason'}), expected reference values`,
  );
}

/** formatReference writes reference values; the same ones always give the same bytes. */
export function formatReference(reference: Reference): string {
  return `${JSON.stringify(schema.parse(reference), undefined, 2)}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
