import { readFile } from 'node:fs/promises';
import { PlinthError, readDocument } from '@plinth/base';
import { ioError } from '@plinth/host';
import { z } from 'zod';
import { contextSchema, NAME_PATTERN } from '../client/contexts-file.ts';

const schema = z.strictObject({
  apiVersion: z.literal('plinth.dev/v1alpha1'),
  kind: z.literal('AccessBundle'),
  /** Nodes it is good for, as the issuer's contexts name them. */
  contexts: z.record(
    z.string().regex(NAME_PATTERN),
    contextSchema.pick({ endpoint: true, fingerprint: true }),
  ),
  /** PEM. */
  certificate: z.string().startsWith('-----BEGIN CERTIFICATE-----'),
  /** PEM; secret. */
  key: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
});

/** A certificate with its key and the nodes to use it on: what is handed to a colleague. Secret as a whole. */
export type AccessBundle = z.infer<typeof schema>;

/** renderBundle writes a bundle as JSON. */
export function renderBundle(bundle: Omit<AccessBundle, 'apiVersion' | 'kind'>): string {
  return `${JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'AccessBundle', ...bundle }, null, 2)}\n`;
}

/** readBundle reads a bundle from a file. @throws access/bundle-invalid, host/io */
export async function readBundle(path: string): Promise<AccessBundle> {
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  const read = readDocument(text, path, schema, 'access/bundle-invalid');
  if (read.ok) return read.value;
  throw new PlinthError('access/bundle-invalid', `Cannot use ${path}: it is no access bundle`, {
    // Not the text of the file: it holds a key.
    diagnostics: read.diagnostics.map(({ span: _span, ...rest }) => rest),
  });
}
