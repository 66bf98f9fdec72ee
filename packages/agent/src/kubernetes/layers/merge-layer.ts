import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import { chooseLayer, type LayerSwitch, SYSEXT_UNIT } from './choose-layer.ts';
import { activeVersion, type ChosenLayer, type Layer } from './layer-store.ts';

const MERGE_TIMEOUT_MS = 180_000;

/**
 * A device that opened this layer before is taken away by the kernel when its last user has gone, and cannot be opened
 * again while that is under way: seen where a layer was switched back soon after. That is no verdict on the layer, so
 * that a merge is tried again unless the journal holds a verdict. It may hold nothing: of a program that has ended the
 * journal cannot always tell which unit it was of.
 */
const ATTEMPTS = 6;
const PAUSE_MS = 5_000;
const VERDICT =
  /does not match image policy|Required key not available|detected corruption|No suitable extensions/;

/**
 * mergeChosen merges the layer of a drive or file that is chosen. Pods that began while a version was merged hold its
 * device and with it the drive: systemd-sysext then cannot read there what it would merge, neither on the way back nor when
 * the version is tried again. A file gets a device of its own, so that a copy of the drive is the second choice.
 * @throws kubernetes/layer-refused, kubernetes/space
 */
export async function mergeChosen(
  parts: LayerSwitch & { copyLayer(layer: Layer): Promise<Layer> },
  wanted: { readonly layer: Layer; readonly before: ChosenLayer },
  signal: AbortSignal,
): Promise<void> {
  const { layer, before } = wanted;
  const { version } = layer;
  try {
    await mergeLayer(parts, { version, before }, signal);
  } catch (reason) {
    const judged = reason instanceof PlinthError && VERDICT.test(reason.message);
    if (signal.aborted || judged || layer.source !== 'drive') throw reason;
    await chooseLayer(parts, await parts.copyLayer(layer));
    await mergeLayer(parts, { version, before }, signal);
  }
}

/**
 * mergeLayer merges what is chosen and looks whether it is the wanted version. When it is not, what was chosen before
 * is chosen and merged again.
 * @throws kubernetes/layer-refused
 */
export async function mergeLayer(
  parts: LayerSwitch,
  wanted: { readonly version: string; readonly before: ChosenLayer },
  signal: AbortSignal,
): Promise<void> {
  const options = { timeoutMs: MERGE_TIMEOUT_MS, signal };
  const refused = await restartMerge(parts, options);
  const merged = await activeVersion(parts.sys);
  if (!refused && merged === wanted.version) return;
  // A stop of plinthd is no verdict on the layer.
  if (signal.aborted) throw refused ?? signal.reason;
  await chooseLayer(parts, wanted.before);
  await parts.units.run('restart', SYSEXT_UNIT, options).catch(() => {}); // the refusal below is what matters
  throw new PlinthError(
    'kubernetes/layer-refused',
    `Cannot merge the Kubernetes layer ${wanted.version}: ${refused?.message ?? `${merged ?? 'no version'} is merged`}, expected a layer that this node trusts`,
    { cause: refused },
  );
}

/**
 * restartMerge has everything that is chosen merged over /usr, in place of what was. Gives why that failed, undefined when
 * it did not; what was merged before then stays.
 */
export async function restartMerge(
  { units, mergePauseMs = PAUSE_MS }: Pick<LayerSwitch, 'units' | 'mergePauseMs'>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  attempts = ATTEMPTS,
): Promise<PlinthError | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await units.run('restart', SYSEXT_UNIT, options);
      return undefined;
    } catch (reason) {
      const refused = PlinthError.from(reason, 'kubernetes/unit-failed', `Cannot restart ${SYSEXT_UNIT}`);
      if (attempt === attempts || VERDICT.test(refused.message)) return refused;
      await sleep(mergePauseMs, undefined, { signal: options.signal }).catch(() => {}); // the caller sees the abort
    }
  }
}
