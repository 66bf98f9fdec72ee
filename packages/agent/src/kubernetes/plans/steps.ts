import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import type { Step, StepContext } from '../acts/act.ts';
import { chooseLayer } from '../layers/choose-layer.ts';
import { activeVersion, type ChosenLayer } from '../layers/layer-store.ts';
import { mergeChosen } from '../layers/merge-layer.ts';
import { type Member, writeMember } from '../node/member.ts';
import { FOLDER } from '../paths.ts';
import { KUBEADM_TIMEOUT_MS, type NodeParts, SHORT_TIMEOUT_MS, UNITS } from './node-parts.ts';

/** The choice before the act, for the way back. */
const LAYER_BEFORE = `${FOLDER}/layer-before.json`;

/** chooseLayerStep makes a version the one the node merges, and remembers what was chosen before. */
export function chooseLayerStep(parts: NodeParts, version: string): Step {
  return {
    name: 'choose-layer',
    title: `choose the layer of Kubernetes ${version}`,
    isDone: async () => (await parts.chosenLayer())?.path === (await findLayer(parts, version)).path,
    run: () => choose(parts, version),
  };
}

async function choose(parts: NodeParts, version: string): Promise<void> {
  const layer = await findLayer(parts, version);
  const before = await parts.chosenLayer();
  if (before?.path === layer.path) return;
  await parts.store.write(LAYER_BEFORE, Buffer.from(JSON.stringify(before ?? null)));
  await chooseLayer(parts, layer);
}

/** mergeLayerStep merges what is chosen; a layer that the node refuses is given back. */
export function mergeLayerStep(parts: NodeParts, version: string): Step {
  return {
    name: 'merge-layer',
    title: `merge Kubernetes ${version} into /usr`,
    isDone: async () => (await activeVersion(parts.sys)) === version,
    run: async ({ signal }) => {
      await choose(parts, version); // a layer that was refused before was given back
      const layer = await findLayer(parts, version);
      await mergeChosen(parts, { layer, before: await layerBefore(parts) }, signal);
    },
  };
}

/** layerBefore is what was chosen before the act. */
export async function layerBefore({ store }: Pick<NodeParts, 'store'>): Promise<ChosenLayer> {
  const text = (await store.read(LAYER_BEFORE))?.toString('utf8') ?? 'null';
  return (JSON.parse(text) as ChosenLayer | null) ?? undefined;
}

/** findLayer gives the layer of a version. @throws kubernetes/layer-missing */
export async function findLayer(parts: Pick<NodeParts, 'layers'>, version: string) {
  const layers = await parts.layers();
  const layer = layers.find((candidate) => candidate.version === version);
  if (layer) return layer;
  const have = layers.map((candidate) => candidate.version).join(', ') || 'none';
  throw new PlinthError(
    'kubernetes/layer-missing',
    `Cannot use Kubernetes ${version}: the node has the layers ${have}, expected that one among them`,
  );
}

/** importImagesStep brings the layer's images into the container runtime. */
export function importImagesStep({ units }: NodeParts): Step {
  return {
    name: 'import-images',
    title: "bring the layer's images into containerd",
    isDone: async () => false, // cheap when they are there
    run: ({ signal }) => units.run('restart', UNITS.images, { timeoutMs: SHORT_TIMEOUT_MS, signal }),
  };
}

/** writeStep renders and stores files; writing them again changes nothing. */
export function writeStep(title: string, write: () => Promise<void>): Step {
  return { name: 'write-config', title, isDone: async () => false, run: write };
}

/**
 * kubeadmStep runs init or join once. kubeadm cannot go on in the middle, so what an earlier try has left is taken away
 * first; one that still runs, or ended well while plinthd was away, is taken as it is. The unit must have been stopped
 * before the first try (see stopUnit), so that "active" is of this act.
 */
export function kubeadmStep({ units }: NodeParts, kind: 'init' | 'join', title: string): Step {
  const unit = UNITS[kind];
  return {
    name: kind,
    title,
    isDone: async () => false,
    run: async (context) => {
      const options = { timeoutMs: KUBEADM_TIMEOUT_MS, ...waiting(context) };
      if (context.earlierAttempts > 0) {
        const { active, busy } = await units.state(unit);
        if (!busy && active !== 'active') await units.run('restart', UNITS.reset, options);
      }
      await units.run('start', unit, options);
    },
  };
}

/** recordStep stores what the node has become, and removes what only the act needed. */
export function recordStep({ store }: NodeParts, member: Member, spent: readonly string[]): Step {
  return {
    name: 'record-membership',
    title: 'remember the membership',
    isDone: async () => false,
    run: async () => {
      await writeMember(store, member);
      for (const name of spent) await store.remove(name);
    },
  };
}

/** addonsStep applies the layer's manifests; they are applied as a whole, so again is as good as once. */
export function addonsStep({ units }: NodeParts): Step {
  return {
    name: 'apply-addons',
    title: 'apply pod network, service proxy and DNS',
    isDone: async () => false,
    run: async (context) => {
      const options = { timeoutMs: SHORT_TIMEOUT_MS, ...waiting(context) };
      await units.run('start', UNITS.kubelet, options); // the machine may have rebooted since the step before
      await units.run('restart', UNITS.addons, options);
    },
  };
}

/** waitNodeStep waits until the cluster sees the node as ready. */
export function waitNodeStep(parts: NodeParts, version: string, timeoutMs = SHORT_TIMEOUT_MS): Step {
  let reason = '';
  const isReady = async (): Promise<boolean> => {
    try {
      const node = await parts.view.node(parts.nodeName);
      reason = node === undefined ? 'the cluster does not know it' : node.reason;
      return node?.ready === true && node.kubeletVersion === version;
    } catch (error) {
      reason = PlinthError.from(error, 'kubernetes/api-server-silent', 'Cannot ask the cluster').message;
      return false;
    }
  };
  return {
    name: 'wait-node',
    title: 'wait until the node is ready',
    isDone: async () => false,
    run: async ({ signal, note }) => {
      await parts.units.run('start', UNITS.kubelet, { timeoutMs: SHORT_TIMEOUT_MS, signal });
      const startedMs = performance.now();
      while (!(await isReady())) {
        note(reason);
        if (performance.now() - startedMs > timeoutMs)
          throw new PlinthError(
            'kubernetes/node-not-ready',
            `Cannot find the node ${parts.nodeName} ready: ${reason}, expected Kubernetes ${version} to be ready`,
          );
        await sleep(parts.pollMs, undefined, { signal });
      }
      note('');
    },
  };
}

/** stopUnit forgets an earlier end of a unit; fine when the unit does not exist. */
export async function stopUnit({ units }: Pick<NodeParts, 'units'>, unit: string): Promise<void> {
  const { load, active, busy } = await units.state(unit);
  if (load === 'loaded' && (busy || active === 'active'))
    await units.run('stop', unit, { timeoutMs: SHORT_TIMEOUT_MS });
}

function waiting({ signal, note }: StepContext) {
  return { signal, onWait: (waitedMs: number) => note(`for ${Math.round(waitedMs / 1000)} s`) };
}
