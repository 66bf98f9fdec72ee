import { z } from 'zod';
import { imageProcess, processWord } from '../../framework/image-process.ts';
import type { DeepReadonly } from '../../framework/kind.ts';
import { keyed, secret } from '../../framework/notes.ts';
import { pinnedImage } from '../../framework/pinned-image.ts';
import { duration } from '../../framework/values.ts';
import { allowedPlaces, placeOf } from './mounts.ts';

const LIMITS = { data: 64 * 1024, env: 64, mounts: 16 } as const;

/** When a container is due again after it ended well. */
export const containerRuns = ['once', 'on-change', 'every-boot'] as const;

const variable = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected a name of letters, digits and underscores')
    .describe('Name of the variable.'),
  value: processWord.describe('Its value. What is secret belongs into `data`: plans show this one.'),
});

const mount = z
  .strictObject({
    path: z
      .string()
      .max(1024)
      .refine(
        (path) => placeOf(path) !== undefined,
        `expected one of ${allowedPlaces.map(({ path, below }) => (below ? `${path} or a folder below` : path)).join(', ')}`,
      )
      .describe(
        `The place on the node, and in the container: ${allowedPlaces.map(({ path, below }) => (below ? `\`${path}\` and folders below, which are made` : `\`${path}\``)).join(', ')}.`,
      ),
    writable: z
      .boolean()
      .default(false)
      .describe('Whether the container may write there; only `/var/local` and below.'),
  })
  .superRefine(({ path, writable }, context) => {
    if (writable && placeOf(path)?.writable === false)
      context.addIssue({
        code: 'custom',
        path: ['writable'],
        message: `expected false: ${path} is read-only`,
      });
  });

/** One container that runs before the workloads of a node. */
export const bootstrapContainerSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens')
    .describe('Its name on the node. Containers run one after the other, in the order of their names.'),
  image: pinnedImage.describe(
    'The image, by its digest: registry.example/setup@sha256:…. It is pulled by the settings of Registries.',
  ),
  ...imageProcess,
  env: keyed(variable, 'name', LIMITS.env).default([]).describe('Variables beside those of the image.'),
  data: secret(
    z
      .string()
      .max(LIMITS.data)
      .describe(
        'A script or settings for the container: the file `/plinth/data` in it, read-only. The node itself never runs it. It is not shown in plans, nor by the API.',
      ),
  ).optional(),
  mounts: keyed(mount, 'path', LIMITS.mounts)
    .default([])
    .describe('Places of the node that the container sees.'),
  timeout: duration('1s', '1h')
    .default('5m')
    .describe(
      'The longest it may run; then it is ended and has failed. The pull of its image does not count.',
    ),
  essential: z
    .boolean()
    .default(false)
    .describe('Whether the node starts no kubelet, and joins no cluster, unless it ended well.'),
  run: z
    .enum(containerRuns)
    .default('on-change')
    .describe(
      'When it runs: `once`, until it has ended well one time, whatever its settings become; `on-change`, again when any of its fields changed; `every-boot`, in each boot.',
    ),
});

/** What a container is asked to do. */
export type BootstrapContainer = DeepReadonly<z.infer<typeof bootstrapContainerSchema>>;
