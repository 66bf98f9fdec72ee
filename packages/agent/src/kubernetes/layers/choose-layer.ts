import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import type { StateStore } from '../../sys/state-store.ts';
import { isMissing, type Sys } from '../../sys/sys.ts';
import { EXTENSIONS, FOLDER, STATE } from '../paths.ts';
import type { Units } from '../units/run-unit.ts';
import { activeVersion, type Layer } from './layer-store.ts';

/** The runtime refuses to make links while its permission model is on, and the node has no ln. */
export const SYSTEMD_TMPFILES = '/usr/bin/systemd-tmpfiles';
export const SYSEXT_UNIT = 'systemd-sysext.service';

const CONFIG = 'layer.conf';
const MERGE_TIMEOUT_MS = 180_000;
/** A device is taken by its link, a file by its name (systemd-sysext(8)). */
const LINKS = { drive: 'kubernetes', staged: 'kubernetes.raw' } as const;

/** What the node merges at boot: the link's name and where it leads; undefined for no layer. */
export type ChosenLayer = Pick<Layer, 'source' | 'path'> | undefined;

export interface LayerSwitch {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly units: Units;
  /** How long to wait before a merge is tried again. */
  readonly mergePauseMs?: number;
}

/** chosenLayer reads which layer the node merges at boot. */
export async function chosenLayer(extensions: string = EXTENSIONS): Promise<ChosenLayer> {
  for (const source of ['staged', 'drive'] as const) {
    try {
      return { source, path: await readlink(join(extensions, LINKS[source])) };
    } catch (reason) {
      if (!isMissing(reason)) throw reason;
    }
  }
  return undefined;
}

/** renderChoice is the tmpfiles.d(5) text that leaves exactly one link, or none. */
export function renderChoice(choice: ChosenLayer, extensions: string = EXTENSIONS): string {
  const removed = (['drive', 'staged'] as const).filter((source) => source !== choice?.source);
  return [
    `d ${extensions} 0755 root root`,
    ...removed.map((source) => `r ${extensions}/${LINKS[source]}`),
    ...(choice ? [`L+ ${extensions}/${LINKS[choice.source]} - - - - ${choice.path}`] : []),
    '',
  ].join('\n');
}

/** chooseLayer makes a layer the one that is merged, from the next merge on. @throws kubernetes/unit-failed */
export async function chooseLayer({ sys, store }: LayerSwitch, choice: ChosenLayer): Promise<void> {
  await store.write(`${FOLDER}/${CONFIG}`, Buffer.from(renderChoice(choice)));
  const { exitCode, stderr } = await sys.run(SYSTEMD_TMPFILES, [
    '--create',
    '--remove',
    `${STATE}/${CONFIG}`,
  ]);
  if (exitCode === 0) return;
  throw new PlinthError(
    'kubernetes/unit-failed',
    `Cannot choose a layer: systemd-tmpfiles ended with ${exitCode}: ${stderr.trim().slice(-500)}`,
  );
}

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

/** Gives why the merge failed, undefined when it did not. */
async function restartMerge(
  { units, mergePauseMs = PAUSE_MS }: LayerSwitch,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<PlinthError | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await units.run('restart', SYSEXT_UNIT, options);
      return undefined;
    } catch (reason) {
      const refused = PlinthError.from(reason, 'kubernetes/unit-failed', `Cannot restart ${SYSEXT_UNIT}`);
      if (attempt === ATTEMPTS || VERDICT.test(refused.message)) return refused;
      await sleep(mergePauseMs, undefined, { signal: options.signal }).catch(() => {}); // the caller sees the abort
    }
  }
}
