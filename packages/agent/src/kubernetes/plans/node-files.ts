import type { ClusterSpec, NodeRole } from '../cluster-spec.ts';
import { readLayer } from '../layers/layer-manifest.ts';
import { nodeMtu } from '../node/node-mtu.ts';
import { KUBEADM_CONFIG } from '../paths.ts';
import { addons, cniTemplate } from '../render/addons.ts';
import { apiServerFiles } from '../render/api-server-files.ts';
import { controlPlanePatches } from '../render/patches.ts';
import type { RenderedFile } from '../settings.ts';
import { type NodeParts, writeFiles } from './node-parts.ts';

/** What the files of a node follow from, beside the merged layer. */
export interface NodeFiles {
  readonly role: NodeRole;
  readonly cluster: ClusterSpec;
  /** Configuration of kubeadm for what it will be asked to do. */
  readonly kubeadm: string;
  /** More files of this act, written before kubeadm's. */
  readonly more?: readonly RenderedFile[];
}

/** writeNodeFiles renders and stores what kubeadm and the layer's units read. @throws kubernetes/layer-refused */
export async function writeNodeFiles({ store, sys }: NodeParts, files: NodeFiles): Promise<void> {
  const layer = await readLayer(sys);
  const controlPlane = files.role === 'control-plane';
  await writeFiles(store, [
    ...(controlPlane ? [...apiServerFiles(), ...addons(files.cluster, layer)] : []),
    ...controlPlanePatches(layer),
    cniTemplate(layer, await nodeMtu(sys)),
    ...(files.more ?? []),
    [KUBEADM_CONFIG, files.kubeadm],
  ]);
}
