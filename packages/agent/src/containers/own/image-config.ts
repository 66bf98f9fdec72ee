import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';

const LIMITS = { words: 256, word: 4096, layers: 256 } as const;
const words = z.array(z.string().max(LIMITS.word)).max(LIMITS.words);

/** What is used of the configuration of an image (OCI image specification, config.md). */
const schema = z.object({
  config: z
    .object({
      User: z.string().max(LIMITS.word).nullish(),
      Env: words.nullish(),
      Entrypoint: words.nullish(),
      Cmd: words.nullish(),
      WorkingDir: z.string().max(LIMITS.word).nullish(),
    })
    .nullish(),
  rootfs: z.object({
    diff_ids: z
      .array(z.string().regex(/^sha256:[0-9a-f]{64}$/))
      .min(1)
      .max(LIMITS.layers),
  }),
});

/** An image as a container needs it. */
export interface ImageConfig {
  /** Name under which the runtime keeps its unpacked layers. */
  readonly chainId: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly folder: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * readImageConfig reads the configuration of an image. A user by name is refused: who that is stands in a file of the image,
 * which plinthd does not open. @throws containers/image-invalid
 */
export function readImageConfig(bytes: Uint8Array): ImageConfig {
  const read = schema.safeParse(parseJson(bytes));
  if (!read.success)
    throw invalid('its configuration is not that of an image', 'one of the OCI image specification');
  const { config, rootfs } = read.data;
  const [, uid = '0', gid = '0'] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(config?.User || '0:0') ?? [];
  if (config?.User && !/^\d{1,9}(?::\d{1,9})?$/.test(config.User))
    throw invalid('its user is a name', 'a number: USER 1000:1000');
  return {
    chainId: chainIdOf(rootfs.diff_ids),
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    env: config?.Env ?? [],
    folder: config?.WorkingDir || '/',
    uid: Number(uid),
    gid: Number(gid),
  };
}

/** chainIdOf names a stack of layers as the OCI image specification does (config.md, "Layer ChainID"). */
export function chainIdOf(diffIds: readonly string[]): string {
  return diffIds.reduce(
    (below, diffId) => `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError('containers/image-invalid', `Cannot use the image: ${state}, expected ${expected}`);
}
