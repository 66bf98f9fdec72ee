import { PlinthError } from '@plinth/base';
import { formatHotLayer, type HotLayer, hotLayerVersion } from '@plinth/updates';
import { pause } from '../repeat.ts';
import { failureOf, type HotLayerState, layerOf, type StoredLayer, withSerial } from './hot-layer-state.ts';
import type { HotLayerWork } from './hot-layer-work.ts';

type Change = NonNullable<HotLayerState['change']>;

const PROVE_EVERY_MS = 5_000;
const PROVE_LIMIT_MS = 180_000;

/**
 * bringAbout does what is stored to be done, from wherever an earlier plinthd has left it: a layer that does not prove
 * itself is taken back, and the reason stays.
 */
export async function bringAbout(work: HotLayerWork): Promise<void> {
  const { change } = await work.parts.state.read();
  if (!change) return;
  if (change.kind === 'retire') return retireLayer(work, change.layer);
  try {
    await tryLayer(work, change);
  } catch (reason) {
    if (work.parts.signal.aborted) throw reason;
    const why = PlinthError.from(reason, 'hot-layer/failed', 'Cannot activate the hot layer');
    await takeBack(work, change.layer, why);
  }
}

/** isSameLayer tells whether what is merged is the layer that is meant, in every word. */
export function isSameLayer(merged: HotLayer | undefined, meant: HotLayer): boolean {
  return merged !== undefined && formatHotLayer(merged) === formatHotLayer(meant);
}

/** Merged by a link that a reboot ends; kept only when what it replaces runs and the node is healthy. */
async function tryLayer(work: HotLayerWork, change: Change): Promise<void> {
  const { state: file, usr, console } = work.parts;
  const layer = layerOf(change.layer);
  const version = hotLayerVersion(layer);
  const { kept } = await file.read();
  if (!isSameLayer(await usr.layer(), layer)) {
    await usr.choose({ trial: work.pathOf(change.layer), kept: work.pathOf(kept) });
    const refused = await work.merge();
    const merged = refused ? undefined : await usr.layer();
    if (!isSameLayer(merged, layer)) throw refusal(version, refused, merged !== undefined);
    console.say(`hot layer: ${version} is merged, on trial`);
  }
  const { report, restartSelf } = await work.restart(layer, kept && layerOf(kept));
  if (restartSelf && !change.selfRestarted) {
    await work.update((state) => ({ ...state, change: { ...change, selfRestarted: true } }));
    return work.restartSelf(true);
  }
  const [failed] = report.failed;
  if (failed !== undefined)
    throw new PlinthError('hot-layer/not-healthy', `Cannot keep the hot layer ${version}: ${failed}`);
  await prove(work, version, change.wasHealthy);
  await usr.choose({ kept: work.pathOf(change.layer) });
  await work.update(({ change: _done, staged: _staged, failure: _old, ...state }) => ({
    ...withSerial(state, layer),
    kept: change.layer,
  }));
  await work.dropUnused();
  console.say(
    `hot layer: ${version} is active; ${report.remaining.length} processes still run replaced code`,
  );
}

function refusal(version: string, refused: Error | undefined, isOther: boolean): PlinthError {
  const why = isOther ? 'it says something else inside than beside it' : 'systemd-sysext left it out';
  return new PlinthError(
    'hot-layer/refused',
    `Cannot merge the hot layer ${version}: ${refused?.message ?? why}, expected a layer that this node trusts`,
    { cause: refused },
  );
}

/** A node that was healthy has to be so again, twice in a row; what was broken before it need not mend. */
async function prove({ parts }: HotLayerWork, version: string, wasHealthy: boolean): Promise<void> {
  if (!wasHealthy) return;
  const { proveEveryMs = PROVE_EVERY_MS, proveLimitMs = PROVE_LIMIT_MS, signal } = parts;
  const startMs = performance.now();
  for (let inARow = 0; inARow < 2; ) {
    await pause(proveEveryMs, signal);
    signal.throwIfAborted();
    inARow = (await parts.isHealthy()) ? inARow + 1 : 0;
    if (inARow === 0 && performance.now() - startMs > proveLimitMs)
      throw new PlinthError(
        'hot-layer/not-healthy',
        `Cannot keep the hot layer ${version}: the node is not healthy with it, expected health as before`,
      );
  }
}

/** What was before is merged again, and what runs files of the layer is restarted. */
async function takeBack(work: HotLayerWork, stored: StoredLayer, reason: PlinthError): Promise<void> {
  const { state: file, usr, console, sys } = work.parts;
  const layer = layerOf(stored);
  const { kept } = await file.read();
  await usr.choose({ kept: work.pathOf(kept) });
  const refused = await work.merge();
  const { restartSelf } = await restartSeen(work, kept && layerOf(kept), layer);
  const { code, message } = reason;
  const before = refused ? `; and the merge of what was before: ${refused.message}` : '';
  const failure = failureOf(layer, code, `${message}${before}`, sys.nowMs());
  await work.update(({ change: _done, ...state }) => ({ ...state, failure }));
  console.say(`hot layer: ${message}`);
  if (restartSelf) await work.restartSelf(kept !== undefined);
}

/** retireLayer takes the kept layer away: then the image runs as it was built. */
export async function retireLayer(work: HotLayerWork, stored: StoredLayer): Promise<void> {
  const { usr, console } = work.parts;
  const layer = layerOf(stored);
  await usr.choose({});
  if (await usr.layer().catch(() => true)) {
    const refused = await work.merge();
    if (refused) console.say(`hot layer: ${refused.message}`);
  }
  const { restartSelf } = await restartSeen(work, undefined, layer);
  await work.update(({ change: _done, kept: _gone, failure: _old, ...state }) => state);
  await work.dropUnused();
  console.say(`hot layer: ${hotLayerVersion(layer)} is taken away`);
  if (restartSelf) await work.restartSelf(false);
}

/** On the way back nothing may stop: what could not be seen stays as it is, and the node says that it was not seen. */
async function restartSeen(
  work: HotLayerWork,
  wanted: HotLayer | undefined,
  gone: HotLayer,
): Promise<{ readonly restartSelf: boolean }> {
  try {
    return await work.restart(wanted, gone);
  } catch (reason) {
    if (!(reason instanceof PlinthError && reason.code === 'hot-layer/unobserved')) throw reason;
    await work.update(({ report: _old, ...state }) => state);
    work.parts.console.say(`hot layer: ${reason.message}`);
    return { restartSelf: false };
  }
}
