import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { readBounded } from '../documents/read-file.ts';
import type { VexStatement } from '../evidence/index.ts';
import { normaliseId, vexJustifications } from '../model/index.ts';

const LIMIT_BYTES = 32 * 1024 * 1024;

const word = z.string().min(1).max(300);
const words = z.array(word).min(1).max(1_000);

const predicate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('path-absent'), paths: words }),
  z.strictObject({ kind: z.literal('package-absent'), packages: words }),
  z.strictObject({ kind: z.literal('config-off'), symbols: words }),
  z.strictObject({ kind: z.literal('module-absent'), modules: words }),
  z.strictObject({ kind: z.literal('module-denied'), modules: words }),
  z.strictObject({ kind: z.literal('other-architecture'), affected: words }),
  z.strictObject({ kind: z.literal('symbol-not-imported'), library: word, symbols: words }),
  z.strictObject({ kind: z.literal('go-symbol-absent'), paths: words, symbols: words }),
  // A person's word has an author, a reason and an end.
  z.strictObject({
    kind: z.literal('human'),
    author: word,
    reason: z.string().min(10).max(2_000),
    expiresAt: z.iso.datetime(),
  }),
]);

const schema = z.strictObject({
  statements: z
    .array(
      z.strictObject({
        id: word.refine((id) => normaliseId(id) === id, 'it is no identifier in its usual spelling'),
        justification: z.enum(vexJustifications),
        predicate,
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
