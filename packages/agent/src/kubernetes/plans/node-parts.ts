import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import type { ChosenLayer, Layer } from '../layers/layer-store.ts';
import type { ClusterView } from '../node/cluster-view.ts';
import type { RenderedFile } from '../settings.ts';
import type { Units } from '../units/run-unit.ts';
import type { WriteNodeFile } from './upgrade-backup.ts';

/** What the steps of an act work with. */
export interface NodeParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly units: Units;
  readonly view: ClusterView;
  /** Name of the node by its machine config. */
  readonly nodeName: string;
  /** Layers the node has. */
  layers(): Promise<readonly Layer[]>;
  /** Gives a layer as a file that systemd-sysext can open whoever holds the drive. */
  copyLayer(layer: Layer): Promise<Layer>;
  /** What is merged at boot. */
  chosenLayer(): Promise<ChosenLayer>;
  readonly writeNodeFile: WriteNodeFile;
  /** How long to wait between two looks at something outside. */
  readonly pollMs: number;
  /** How long to wait before a merge is tried again; default: see mergeLayer. */
  readonly mergePauseMs?: number;
}

export const UNITS = {
  init: 'plinth-kubeadm-init.service',
  join: 'plinth-kubeadm-join.service',
  reset: 'plinth-kubeadm-reset.service',
  upgradeApply: 'plinth-kubeadm-upgrade-apply.service',
  upgradeNode: 'plinth-kubeadm-upgrade-node.service',
  addons: 'plinth-addons.service',
  images: 'plinth-images.service',
  kubelet: 'kubelet.service',
} as const;

const MINUTE_MS = 60_000;
/** Longer than what kubeadm gives its own parts (see render/kubeadm-yaml.ts), so that its word is heard. */
export const KUBEADM_TIMEOUT_MS = 40 * MINUTE_MS;
export const SHORT_TIMEOUT_MS = 15 * MINUTE_MS;

/** writeFiles writes files of plinthd's own, each whole or not at all. */
export async function writeFiles(store: StateStore, files: readonly RenderedFile[]): Promise<void> {
  for (const [name, content] of files) await store.write(name, Buffer.from(content));
}
