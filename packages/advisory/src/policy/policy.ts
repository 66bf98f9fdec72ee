import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { readBounded } from '../documents/read-file.ts';

const hours = z
  .int()
  .min(1)
  .max(24 * 365);

const schema = z.strictObject({
  /** From "a signed index offers the fix" to "published", in hours; by the worst severity any source names. */
  targetsHours: z.strictObject({
    /** In CISA's list of what is used in attacks, whatever its severity. */
    exploited: hours,
    critical: hours,
    high: hours,
    medium: hours,
    low: hours,
    /** No source says how bad it is. */
    unknown: hours,
  }),
  /** How long anything new may stay unknown. */
  triageHours: hours,
  /** From this share of a target on, the clock is "due soon". */
  warnAt: z.number().min(0.1).max(1),
});

/** How fast what must be mended. */
export type AdvisoryPolicy = z.infer<typeof schema>;

/** What Plinth asks of itself where nobody wrote another policy. */
export const defaultPolicy: AdvisoryPolicy = {
  targetsHours: { exploited: 24, critical: 24, high: 72, medium: 168, low: 720, unknown: 168 },
  triageHours: 12,
  warnAt: 0.75,
};

const LIMIT_BYTES = 64 * 1024;

/** readPolicy reads a file with a policy, or gives the usual one. @throws advisory/policy-invalid, host/io */
export async function readPolicy(path: string | undefined): Promise<AdvisoryPolicy> {
  if (path === undefined) return defaultPolicy;
  return parsePolicy((await readBounded(path, LIMIT_BYTES, 'advisory/policy-invalid')).text, path);
}

/** parsePolicy reads a policy (YAML); every field must be there. @throws advisory/policy-invalid */
export function parsePolicy(text: string, file: string): AdvisoryPolicy {
  const parsed = readDocument(text, file, schema, 'advisory/policy-invalid');
  if (parsed.ok) return parsed.value;
  const [first] = parsed.diagnostics;
  throw new PlinthError('advisory/policy-invalid', first?.message ?? `Cannot read ${file}`, {
    diagnostics: parsed.diagnostics,
  });
}
