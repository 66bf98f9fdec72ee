import { z } from 'zod';
import type { Plan } from '../acts/act.ts';
import { clusterSpecSchema } from '../cluster-spec.ts';
import { readLayer } from '../layers/layer-manifest.ts';
import { writeMember } from '../node/member.ts';
import { nodeMtu } from '../node/node-mtu.ts';
import { API_SERVER_PORT, KUBEADM_CONFIG } from '../paths.ts';
import { addons, cniTemplate } from '../render/addons.ts';
import { apiServerFiles, ENCRYPTION_CONFIG, newEncryptionConfig } from '../render/api-server-files.ts';
import { renderInit } from '../render/kubeadm-yaml.ts';
import { controlPlanePatches } from '../render/patches.ts';
import type { NodeSettings } from '../settings.ts';
import { type NodeParts, UNITS, writeFiles } from './node-parts.ts';
import {
  addonsStep,
  chooseLayerStep,
  importImagesStep,
  kubeadmStep,
  mergeLayerStep,
  stopUnit,
  waitNodeStep,
  writeStep,
} from './steps.ts';

/** What a bootstrap was asked for, complete. */
export const bootstrapRequest = z.object({
  cluster: clusterSpecSchema,
  version: z.string(),
  nodeAddress: z.string(),
});
export type BootstrapRequest = z.infer<typeof bootstrapRequest>;

/** planBootstrap makes the node the first control plane of a new cluster. */
export function planBootstrap(parts: NodeParts, request: BootstrapRequest): Plan {
  const { cluster, version, nodeAddress } = request;
  const settings: NodeSettings = { nodeName: parts.nodeName, nodeAddress, version, cluster };
  return {
    kind: 'bootstrap',
    steps: [
      chooseLayerStep(parts, version),
      mergeLayerStep(parts, version),
      writeStep('write the settings of the control plane', () => writeBootstrap(parts, settings)),
      importImagesStep(parts),
      kubeadmStep(parts, 'init', 'start the control plane (kubeadm init)'),
      addonsStep(parts),
      waitNodeStep(parts, version),
      {
        name: 'record-membership',
        title: 'remember the membership',
        isDone: async () => false,
        run: async () => {
          await writeMember(parts.store, {
            state: 'member',
            role: 'control-plane',
            cluster,
            version,
            nodeAddress,
            apiServers: [`${nodeAddress}:${API_SERVER_PORT}`],
          });
          await parts.store.remove(KUBEADM_CONFIG);
        },
      },
    ],
  };
}

async function writeBootstrap(parts: NodeParts, settings: NodeSettings): Promise<void> {
  const { store, sys } = parts;
  const layer = await readLayer(sys);
  await stopUnit(parts, UNITS.init);
  // A key that exists may have encrypted something already.
  if (!(await store.read(ENCRYPTION_CONFIG)))
    await writeFiles(store, [[ENCRYPTION_CONFIG, newEncryptionConfig()]]);
  await writeFiles(store, [
    ...apiServerFiles(),
    ...controlPlanePatches(layer),
    ...addons(settings.cluster, layer),
    cniTemplate(layer, await nodeMtu(sys)),
    [KUBEADM_CONFIG, renderInit(settings)],
  ]);
}
