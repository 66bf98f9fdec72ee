import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { readBounded } from '../documents/read-file.ts';
import type { VexStatement } from '../evidence/index.ts';
import { statementFields } from '../inventory/index.ts';

const LIMIT_BYTES = 32 * 1024 * 1024;

const schema = z.strictObject({
  statements: z
    .array(
      z.strictObject({
        ...statementFields,
      }),
    )
    .max(100_000),
});

/**
 * readStatements reads statements that something is not affected (YAML or JSON): each with a question that the image is
 * asked anew by every scan.
 * @throws advisory/statements-invalid, host/io
 */
export async function readStatements(path: string): Promise<readonly VexStatement[]> {
  const { text } = await readBounded(path, LIMIT_BYTES, 'advisory/statements-invalid');
  const parsed = readDocument(text, path, schema, 'advisory/statements-invalid');
  if (parsed.ok) return parsed.value.statements;
  const [first] = parsed.diagnostics;
  throw new PlinthError('advisory/statements-invalid', first?.message ?? `Cannot read ${path}`, {
    diagnostics: parsed.diagnostics,
  });
}
