import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { Plan, Step } from '../acts/act.ts';
import { clusterSpecSchema, nodeRoles } from '../cluster-spec.ts';
import { chooseLayer } from '../layers/choose-layer.ts';
import { readLayer } from '../layers/layer-manifest.ts';
import { activeVersion } from '../layers/layer-store.ts';
import { mergeChosen } from '../layers/merge-layer.ts';
import { readMember, writeMember } from '../node/member.ts';
import { KUBEADM_CONFIG } from '../paths.ts';
import { renderUpgrade } from '../render/kubeadm-yaml.ts';
import { controlPlanePatches, VERSION_ANNOTATION } from '../render/patches.ts';
import { judgeUpgrade } from './judge-upgrade.ts';
import { writeNodeFiles } from './node-files.ts';
import { KUBEADM_TIMEOUT_MS, type NodeParts, SHORT_TIMEOUT_MS, UNITS, writeFiles } from './node-parts.ts';
import { insist, patiently } from './patience.ts';
import {
  addonsStep,
  chooseLayerStep,
  findLayer,
  importImagesStep,
  layerBefore,
  mergeLayerStep,
  waitNodeStep,
  writeStep,
} from './steps.ts';
import { backUp, dropBackup, hasBackup, NODE_FILES, restoreBackup } from './upgrade-backup.ts';

/** What an upgrade was asked for. */
export const upgradeRequest = z.object({
  cluster: clusterSpecSchema,
  role: z.enum(nodeRoles),
  from: z.string(),
  to: z.string(),
});
export type UpgradeRequest = z.infer<typeof upgradeRequest>;

/** Other nodes of the cluster may be upgraded at the same time, and with them its API servers. */
const ANSWER_WITHIN_MS = 5 * 60_000;
const WAY_BACK_ATTEMPTS = 3;
/** Pause between two tries, in polls. */
const WAY_BACK_PAUSES = 10;
const ETCD_MANIFEST = `${NODE_FILES.manifests}/etcd.yaml`;

/** planUpgrade brings the node to another version, and back to the one it had when a step fails. */
export function planUpgrade(parts: NodeParts, request: UpgradeRequest): Plan {
  const { role, to } = request;
  const controlPlane = role === 'control-plane';
  const { units, store } = parts;
  return {
    kind: 'upgrade',
    steps: [
      {
        name: 'check-skew',
        title: 'check that the version may come next',
        isDone: async () => false,
        run: async ({ signal }) => void (await mode(parts, request, signal)),
      },
      chooseLayerStep(parts, to),
      {
        name: 'back-up',
        title: 'keep manifests and settings for the way back',
        isDone: () => hasBackup(store, request),
        run: () => backUp(parts, request),
      },
      mergeLayerStep(parts, to),
      writeStep('write the settings of the new version', () =>
        writeNodeFiles(parts, { role, cluster: request.cluster, kubeadm: renderUpgrade({ version: to }) }),
      ),
      importImagesStep(parts),
      {
        name: 'upgrade',
        title: 'bring the node to the version (kubeadm upgrade)',
        isDone: async () => false,
        run: async ({ signal }) => {
          const unit =
            (await mode(parts, request, signal)) === 'apply' ? UNITS.upgradeApply : UNITS.upgradeNode;
          const { busy } = await units.state(unit);
          // kubeadm finds out itself what is done; one that still runs is waited for.
          await units.run(busy ? 'start' : 'restart', unit, { timeoutMs: KUBEADM_TIMEOUT_MS, signal });
        },
      },
      {
        name: 'restart-kubelet',
        title: 'restart the kubelet',
        isDone: async () => false,
        run: ({ signal }) => units.run('restart', UNITS.kubelet, { timeoutMs: SHORT_TIMEOUT_MS, signal }),
      },
      waitNodeStep(parts, to),
      ...(controlPlane ? [switchEtcdStep(parts, to), addonsStep(parts)] : []),
      {
        name: 'record-version',
        title: 'remember the version',
        isDone: async () => false,
        run: async () => {
          const member = await readMember(store);
          if (member) await writeMember(store, { ...member, version: to });
          await dropBackup(store);
          await store.remove(KUBEADM_CONFIG);
        },
      },
    ],
    undo: (failedStep, signal) =>
      insist(WAY_BACK_ATTEMPTS, () => goBack(parts, request, failedStep, signal), {
        pollMs: WAY_BACK_PAUSES * parts.pollMs,
        signal,
      }),
  };
}

async function mode(
  { view, pollMs }: NodeParts,
  { role, from, to }: UpgradeRequest,
  signal: AbortSignal,
): Promise<'apply' | 'node'> {
  const cluster = await patiently(() => view.version(), { withinMs: ANSWER_WITHIN_MS, pollMs, signal });
  return judgeUpgrade({ role, from, to, cluster });
}

/**
 * etcd moves last, when everything else runs: kubeadm would move it first, and a database that a newer etcd has taken over
 * cannot go back to the older one. The manifest names the new version and image, and the kubelet starts it from the new
 * /usr; the add-ons that follow are applied only when it answers again.
 */
function switchEtcdStep({ sys, writeNodeFile }: NodeParts, version: string): Step {
  return {
    name: 'switch-etcd',
    title: 'start etcd from the new version',
    isDone: async () =>
      (await sys.readFile(ETCD_MANIFEST)).toString('utf8').includes(`${VERSION_ANNOTATION}: ${version}`),
    run: async () => {
      const { pauseImage } = await readLayer(sys);
      const text = (await sys.readFile(ETCD_MANIFEST)).toString('utf8');
      await writeNodeFile(ETCD_MANIFEST, Buffer.from(moveManifest(text, version, pauseImage)));
    },
  };
}

/** moveManifest gives the manifest of a static pod another version and image. @throws kubernetes/unit-failed */
export function moveManifest(text: string, version: string, image: string): string {
  const annotation = new RegExp(`^( +${VERSION_ANNOTATION.replaceAll('.', '\\.')}: ).*$`, 'm');
  const reference = /^( +image: ).*$/m;
  if (!annotation.test(text) || !reference.test(text))
    throw new PlinthError(
      'kubernetes/unit-failed',
      `Cannot move etcd to ${version}: its manifest names no version or image, expected one that Plinth patched`,
    );
  return text.replace(annotation, `$1${version}`).replace(reference, `$1${image}`);
}

/** Steps after which nothing but the choice of the layer was changed; a merge that fails gives back what was merged. */
const HARMLESS = ['choose-layer', 'back-up', 'merge-layer'];

/**
 * Takes back what an upgrade did, as far as it came, and waits until the node is healthy again. Done again after it failed
 * in the middle, it goes on.
 */
async function goBack(
  parts: NodeParts,
  { from }: UpgradeRequest,
  failedStep: string,
  signal: AbortSignal,
): Promise<void> {
  if (failedStep === 'check-skew') return;
  const { store, units, sys } = parts;
  const layer = { ...(await findLayer(parts, from)), ...(await layerBefore(parts)) };
  await chooseLayer(parts, layer);
  const merged = (await activeVersion(sys)) === from;
  if (merged && HARMLESS.includes(failedStep)) return dropBackup(store);
  if (!merged) await mergeChosen(parts, { layer, before: layer }, signal);
  await writeFiles(store, controlPlanePatches(await readLayer(sys)));
  await restoreBackup(store, parts.writeNodeFile);
  await units.run('restart', UNITS.images, { timeoutMs: SHORT_TIMEOUT_MS, signal });
  await units.run('restart', UNITS.kubelet, { timeoutMs: SHORT_TIMEOUT_MS, signal });
  await waitNodeStep(parts, from).run({ earlierAttempts: 0, signal, note: () => {} });
  await dropBackup(store);
}
