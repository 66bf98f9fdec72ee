import { dirname, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { parseBoundedJson, readBounded } from '../documents/read-file.ts';
import type { Inventory } from '../model/index.ts';
import { inventoryOfSpdx } from './from-spdx.ts';
import { debianArchitecture } from './release-architecture.ts';

const text = z.string().max(20_000);
const schema = z.object({
  format: z.literal(1),
  kind: z.literal('kubernetes-layer'),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/),
  version: z.string().regex(/^[\w.~+-]{1,100}$/),
  architecture: z.string().max(60),
  created: text,
  rootHash: z.string().regex(/^[0-9a-f]{64}$/, 'it is no root hash, expected 64 hexadecimal digits'),
  spdx: z.object({
    name: z.string().regex(/^[\w.~+-]{1,200}\.spdx\.json$/),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  files: z.array(text).max(2_000_000),
});

/** What a Kubernetes layer says of itself, beside its image. */
export type LayerPaper = z.infer<typeof schema>;

const LIMIT_BYTES = 32 * 1024 * 1024;

/** isLayerPaper tells the papers of a layer by the name of the file. */
export function isLayerPaper(name: string): boolean {
  return name.endsWith('.layer.json');
}

/** readLayerPaper reads the paper of a layer, without its SBOM. @throws advisory/subject-invalid, host/io */
export async function readLayerPaper(
  path: string,
): Promise<{ readonly paper: LayerPaper; readonly sha256: string }> {
  const { text: json, sha256 } = await readBounded(path, LIMIT_BYTES);
  const parsed = schema.safeParse(parseBoundedJson(json, path));
  if (parsed.success) return { paper: parsed.data, sha256 };
  const [issue] = parsed.error.issues;
  throw refuse(
    path,
    `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'invalid'}`,
    'papers of a Kubernetes layer',
  );
}

/**
 * inventoryOfLayer reads what is in a Kubernetes layer: its paper, and the SBOM beside it as the paper says it must be.
 * @throws advisory/subject-invalid, host/io
 */
export async function inventoryOfLayer(path: string): Promise<Inventory> {
  const { paper, sha256 } = await readLayerPaper(path);
  const { text: json, sha256: found } = await readBounded(join(dirname(path), paper.spdx.name));
  if (found !== paper.spdx.sha256)
    throw refuse(paper.spdx.name, `its SHA-256 is ${found}`, `${paper.spdx.sha256}, as ${path} says`);
  const spdx = inventoryOfSpdx(parseBoundedJson(json, paper.spdx.name), paper.spdx.name, found);
  return {
    ...spdx,
    subject: {
      ...spdx.subject,
      kind: 'layer',
      name: paper.name,
      version: paper.version,
      architecture: debianArchitecture(paper.architecture),
      rootHash: paper.rootHash,
      created: paper.created,
    },
    inputs: [{ locator: path, sha256, source: 'manifest' }, ...spdx.inputs],
    files: paper.files.toSorted(),
  };
}

function refuse(name: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/subject-invalid', `Cannot read ${name}: ${state}, expected ${expected}`);
}
