import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { readText, type Sys } from '../../sys/sys.ts';
import { LAYER_SHARE } from '../paths.ts';

const manifest = z.object({
  kubernetes: z.string(),
  images: z.array(z.object({ name: z.string(), reference: z.string() })),
});

/** imageOf gives the reference of one of the merged layer's images. @throws kubernetes/layer-refused */
export async function imageOf(sys: Pick<Sys, 'readFile'>, wanted: string): Promise<string> {
  try {
    const text = (await readText(sys, `${LAYER_SHARE}/layer.json`)) ?? '';
    const found = manifest.parse(JSON.parse(text)).images.find(({ name }) => name === wanted);
    if (found) return found.reference;
    throw new Error(`it has no image ${wanted}`);
  } catch (reason) {
    throw PlinthError.from(reason, 'kubernetes/layer-refused', 'Cannot read the merged Kubernetes layer');
  }
}

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
  try {
    const text = (await readText(sys, `${LAYER_SHARE}/layer.json`)) ?? '';
    const { kubernetes, images } = manifest.parse(JSON.parse(text));
    const pauseImage = images.find(({ name }) => name === 'pause')?.reference;
    if (pauseImage === undefined) throw new Error('it has no pause image');
    const folder = `${LAYER_SHARE}/manifests`;
    const manifests = new Map<string, string>();
    for (const name of await sys.readDir(folder))
      manifests.set(name, (await sys.readFile(`${folder}/${name}`)).toString('utf8'));
    const cniTemplate = (await sys.readFile(`${LAYER_SHARE}/cni.conflist.template`)).toString('utf8');
    return { version: kubernetes, pauseImage, manifests, cniTemplate };
  } catch (reason) {
    throw PlinthError.from(reason, 'kubernetes/layer-refused', 'Cannot read the merged Kubernetes layer');
  }
}
