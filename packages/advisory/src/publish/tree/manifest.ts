import { z } from 'zod';
import { readJson } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import { isTreePath } from './tree-path.ts';

const file = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z
    .int()
    .min(0)
    .max(1 << 30),
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** Rises with every publication: a copy that is older than another one can be told. */
  sequence: z.int().min(1),
  publishedAt: z.iso.datetime(),
  /** After this the tree says nothing about what is new: its publisher is silent, or somebody holds it back. */
  validUntil: z.iso.datetime(),
  files: z.record(z.string().refine(isTreePath, 'it is no path of a tree'), file),
});

/** What is in a tree, when it was published, and until when that counts. Paths are relative, without the manifest's own. */
export type TreeManifest = Readonly<z.infer<typeof manifestSchema>>;

const LIMITS = { bytes: 64 * 1024 * 1024, depth: 4, nodes: 1_500_000 };

/** readManifest reads the manifest of a tree. @throws advisory/document-refused */
export function readManifest(bytes: Uint8Array, name: string): TreeManifest {
  const result = manifestSchema.safeParse(readJson(decodeText(bytes, name, LIMITS), name, LIMITS));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw refuse(
    name,
    `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is of another kind'}`,
    'a list of files',
  );
}

/** formatManifest writes it. */
export function formatManifest(manifest: TreeManifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
