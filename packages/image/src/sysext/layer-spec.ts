import { readFile } from 'node:fs/promises';
import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { programSource as source, sourceOf } from '../spec/program-source.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a lower-case name');
const path = z.string().regex(/^\/usr\/[\w./-]+$/, 'expected a path below /usr');

const programSchema = z.strictObject({
  from: source,
  path,
  /** Other names of the program, in the same folder. */
  links: z.array(z.string().regex(/^[\w-]+$/)).default([]),
});

const imageSchema = z.strictObject({
  name,
  from: source,
  /** Path of the program in a package; a component has only one of that name. */
  program: path.optional(),
  /** Default: the version of the program. */
  tag: z
    .string()
    .regex(/^\w[\w.-]*$/)
    .optional(),
  entrypoint: z.array(z.string().min(1)).min(1),
  user: z
    .string()
    .regex(/^\d+:\d+$/)
    .optional(),
  /** Make room for the node's /usr and the links into it. */
  hostUsr: z.boolean().default(false),
});

const schema = z.strictObject({
  name,
  minors: z.array(z.string().regex(/^\d+\.\d+$/, 'expected a minor such as 1.37')).min(1),
  programs: z.array(programSchema).min(1),
  images: z.array(imageSchema),
});

/** What a layer of Kubernetes holds: os/kubernetes/layer.yaml. */
export type LayerSpec = z.infer<typeof schema>;
export type LayerProgram = z.infer<typeof programSchema>;
export type LayerImage = z.infer<typeof imageSchema>;

/**
 * loadLayerSpec reads layer.yaml.
 * @throws image/spec-invalid with every problem and its place; host/io
 */
export async function loadLayerSpec(file: string): Promise<LayerSpec> {
  const text = await readFile(file, 'utf8').catch((reason: unknown) => {
    throw PlinthError.from(reason, 'host/io', `Cannot read ${file}`);
  });
  const document = readDocument(text, file, schema, 'image/spec-invalid');
  if (document.ok) return document.value;
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot use ${file}: ${document.diagnostics.length} problem(s) found, expected none`,
    { diagnostics: document.diagnostics },
  );
}

/** componentsOf names the Go components a layer of one minor is made from. */
export function componentsOf(spec: LayerSpec, minor: string): string[] {
  const sources = [...spec.programs, ...spec.images].map(({ from }) => sourceOf(from, minor).owner);
  return [...new Set(sources)].filter((owner) => owner !== 'package').sort();
}
