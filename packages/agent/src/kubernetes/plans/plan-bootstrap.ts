import { z } from 'zod';
import type { Plan } from '../acts/act.ts';
import { clusterSpecSchema } from '../cluster-spec.ts';
import { API_SERVER_PORT, KUBEADM_CONFIG } from '../paths.ts';
import { ENCRYPTION_CONFIG, newEncryptionConfig } from '../render/api-server-files.ts';
import { renderInit } from '../render/kubeadm-yaml.ts';
import type { NodeSettings, RenderedFile } from '../settings.ts';
import { writeNodeFiles } from './node-files.ts';
import { type NodeParts, UNITS } from './node-parts.ts';
import {
  addonsStep,
  chooseLayerStep,
  importImagesStep,
  kubeadmStep,
  mergeLayerStep,
  recordStep,
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
      recordStep(
        parts,
        {
          ...{ state: 'member', role: 'control-plane', cluster, version, nodeAddress },
          apiServers: [`${nodeAddress}:${API_SERVER_PORT}`],
        },
        [KUBEADM_CONFIG],
      ),
    ],
  };
}

async function writeBootstrap(parts: NodeParts, settings: NodeSettings): Promise<void> {
  const { store } = parts;
  await stopUnit(parts, UNITS.init);
  // A key that exists may have encrypted something already.
  const more = (await store.read(ENCRYPTION_CONFIG)) ? [] : [newKey()];
  const { cluster } = settings;
  await writeNodeFiles(parts, { role: 'control-plane', cluster, kubeadm: renderInit(settings), more });
}

function newKey(): RenderedFile {
  return [ENCRYPTION_CONFIG, newEncryptionConfig()];
}
