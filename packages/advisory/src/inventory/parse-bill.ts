import { PlinthError } from '@plinth/base';
import type { z } from 'zod';

/**
 * parseBill checks a parsed bill of materials against its format.
 * @throws advisory/subject-invalid
 */
export function parseBill<T>(schema: z.ZodType<T>, document: unknown, path: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const state = `${issue?.path.join('.') || 'it'} is not as the format says (${issue?.message ?? 'invalid'})`;
  throw new PlinthError(
    'advisory/subject-invalid',
    `Cannot read ${path}: ${state}, expected SPDX 2.3 or CycloneDX 1.3 to 1.7`,
  );
}
