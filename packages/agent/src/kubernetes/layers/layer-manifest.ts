import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { readText, type Sys } from '../../sys/sys.ts';
import { LAYER_SHARE } from '../paths.ts';

const manifest = z.object({
  kubernetes: z.string(),
  images: z.array(z.object({ name: z.string(), reference: z.string() })),
});

/** What the merged layer says about itself, as far as plinthd needs it. */
export interface LayerFacts {
  readonly version: string;
  /** Reference of the image that brings no program of its own; the control plane runs in it. */
  readonly pauseImage: string;
  /** The layer's manifests by file name. */
  readonly manifests: ReadonlyMap<string, string>;
  readonly cniTemplate: string;
}

/** readLayer reads the merged layer. @throws kubernetes/layer-refused when it is not what a layer of Plinth is */
export async function readLayer(sys: Pick<Sys, 'readFile' | 'readDir'>): Promise<LayerFacts> {
  return ofLayer(async () => {
    const { kubernetes, images } = await readManifest(sys);
    const folder = `${LAYER_SHARE}/manifests`;
    const manifests = new Map<string, string>();
    for (const name of await sys.readDir(folder))
      manifests.set(name, (await sys.readFile(`${folder}/${name}`)).toString('utf8'));
    const cniTemplate = (await sys.readFile(`${LAYER_SHARE}/cni.conflist.template`)).toString('utf8');
    return { version: kubernetes, pauseImage: findImage(images, 'pause'), manifests, cniTemplate };
  });
}

/** imageOf gives the reference of one of the merged layer's images. @throws kubernetes/layer-refused */
export function imageOf(sys: Pick<Sys, 'readFile'>, name: string): Promise<string> {
  return ofLayer(async () => findImage((await readManifest(sys)).images, name));
}

async function readManifest(sys: Pick<Sys, 'readFile'>): Promise<z.infer<typeof manifest>> {
  return manifest.parse(JSON.parse((await readText(sys, `${LAYER_SHARE}/layer.json`)) ?? ''));
}

function findImage(images: z.infer<typeof manifest>['images'], wanted: string): string {
  const found = images.find(({ name }) => name === wanted);
  if (found) return found.reference;
  throw new Error(`it has no image ${wanted}`);
}

async function ofLayer<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (reason) {
    throw PlinthError.from(reason, 'kubernetes/layer-refused', 'Cannot read the merged Kubernetes layer');
  }
}
