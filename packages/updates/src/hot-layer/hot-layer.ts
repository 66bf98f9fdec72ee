import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { versionSchema } from '../channel/channel.ts';
import { ARCHITECTURE } from '../release/names.ts';
import { parseJson } from '../release/parse-json.ts';

/** Name of the extension: of its extension-release and of the link that chooses it. */
export const HOT_LAYER = 'hot-layer';
/** Where a merged hot layer says what it is. */
export const HOT_LAYER_MANIFEST = '/usr/share/plinth/hot-layer/manifest.json';
/** Serials begin with 1 for each base. */
export const SERIAL_LIMIT = 999;
/** A fix of userspace is some MiB; a bound keeps a mistake from filling /var. */
export const HOT_LAYER_LIMIT_BYTES = 128 * 1024 * 1024;
/** The manifest lists each file. */
export const MANIFEST_LIMIT_BYTES = 256 * 1024;
/** As many files as a layer may replace. */
const REPLACED_LIMIT = 400;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
const path = z
  .string()
  .max(300)
  .regex(/^\/usr\/[^\p{Cc}]+$/u, 'expected a path below /usr')
  .refine((text) => !text.split('/').includes('..'), 'expected a path without ".."');

const schema = z.strictObject({
  format: z.literal(1),
  name: z.literal(HOT_LAYER),
  architecture: z.literal(ARCHITECTURE),
  /** The one image it is made for. */
  base: z.strictObject({ name: z.string().max(60), version: versionSchema, rootHash: sha256 }),
  /** Grows with each layer of a base; a node takes none that is lower than one it had. */
  serial: z.int().min(1).max(SERIAL_LIMIT),
  created: z.iso.datetime(),
  /** The packages whose files it brings, with their versions in the base and in the layer. */
  fixes: z
    .array(
      z.strictObject({ package: z.string().max(100), from: z.string().max(100), to: z.string().max(100) }),
    )
    .min(1)
    .max(100),
  /** What it is for: ids of advisories and flaws. */
  advisories: z.array(z.string().max(60)).max(200),
  /** Files of the base that are replaced, or are no longer what a link leads to: a process that maps one runs old code. */
  replaced: z
    .array(z.strictObject({ path, before: sha256, after: sha256.optional() }))
    .min(1)
    .max(REPLACED_LIMIT),
  /** Files and links that the base does not have. */
  added: z.array(path).max(REPLACED_LIMIT),
});

/** What a hot layer is: the manifest inside it, and beside it. */
export type HotLayer = z.infer<typeof schema>;

/** hotLayerVersion is the version of a layer: "0.1.0-3", newer than its base by the rules of versions (UAPI.10). */
export function hotLayerVersion({ base, serial }: Pick<HotLayer, 'base' | 'serial'>): string {
  return `${base.version}-${serial}`;
}

const IMAGE_SUFFIX = '.sysext.raw';
const MANIFEST_SUFFIX = '.hot-layer.json';

/** hotLayerNames are the file names of a hot layer: image and manifest. */
export function hotLayerNames(layer: Pick<HotLayer, 'base' | 'serial'>): {
  readonly image: string;
  readonly manifest: string;
} {
  const version = hotLayerVersion(layer);
  return {
    image: hotLayerImageName(version),
    manifest: `${HOT_LAYER}_${version}_${ARCHITECTURE}${MANIFEST_SUFFIX}`,
  };
}

/** hotLayerImageName is the file name of the image of a layer, "0.1.0-3" (UAPI.3). */
export function hotLayerImageName(version: string): string {
  return `${HOT_LAYER}_${version}_${ARCHITECTURE}${IMAGE_SUFFIX}`;
}

/** hotLayerManifestOf is where the manifest of an image lies: beside it. Never the image itself, whatever that is called. @param image its path */
export function hotLayerManifestOf(image: string): string {
  const name = image.endsWith(IMAGE_SUFFIX) ? image.slice(0, -IMAGE_SUFFIX.length) : image;
  return `${name}${MANIFEST_SUFFIX}`;
}

/**
 * parseHotLayer reads the manifest of a hot layer.
 * @param name the file's name, for messages
 * @throws hot-layer/invalid
 */
export function parseHotLayer(text: string, name: string): HotLayer {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.length ? issue.path.join('.') : 'it';
  throw new PlinthError(
    'hot-layer/invalid',
    `Cannot read ${name}: ${where} is not valid (${issue?.message ?? 'unknown reason'}), expected the manifest of a hot layer`,
  );
}

/** formatHotLayer writes a manifest; the same manifest always gives the same bytes. */
export function formatHotLayer(layer: HotLayer): string {
  return `${JSON.stringify(schema.parse(layer), undefined, 2)}\n`;
}
