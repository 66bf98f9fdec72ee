import { hotLayerVersion } from '@plinth/updates';
import { pause } from '../repeat.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import { bringAbout, isSameLayer, retireLayer } from './change-layer.ts';
import { failureOf, layerOf, type StoredLayer, withSerial } from './hot-layer-state.ts';
import type { HotLayerWork } from './hot-layer-work.ts';

/** A layer whose boots do not come up is tried so often after them. */
const TRIES = 2;
const LOOK_MS = 10_000;

/**
 * afterStart takes up what the last plinthd has left to do, and what the boot has made of the kept layer: merged, left
 * aside because another image runs, or refused. Gives a sentence for people where it was left aside; "" otherwise.
 */
export async function afterStart(work: HotLayerWork): Promise<string> {
  const { usr, bootId } = work.parts;
  const state = await endCutTrial(work);
  if (state.change) {
    await bringAbout(work);
    return '';
  }
  if (!state.kept) return dropOrphan(work);
  const layer = layerOf(state.kept);
  const booted = await usr.booted();
  const merged = await usr.layer().catch(() => undefined);
  if (layer.base.rootHash !== booted.rootHash)
    return leaveAside(work, state.kept, booted.version, merged !== undefined);
  if (!isSameLayer(merged, layer)) {
    if (await usr.isKept()) await dropRefused(work, state.kept);
    else await tryAgain(work, state.kept);
    return '';
  }
  // What started before layers were merged, PID 1 and the journal among it, maps the files of the root.
  await work.noteDevice();
  await work.parts.bootFinished(work.parts.signal);
  const { restartSelf } = await work.restart(layer);
  if (restartSelf && state.settledBoot !== bootId) {
    await work.update((now) => ({ ...now, settledBoot: bootId }));
    await work.restartSelf(true);
  }
  return '';
}

/** A reboot ends a trial. */
async function endCutTrial({ parts, update }: HotLayerWork) {
  const state = await parts.state.read();
  const { change } = state;
  if (change?.kind !== 'activate' || change.bootId === parts.bootId) return state;
  const layer = layerOf(change.layer);
  const { serial } = layer;
  const message = `Cannot keep the hot layer of serial ${serial}: the node was booted anew during its trial`;
  const failure = failureOf(layer, 'hot-layer/not-healthy', message, parts.sys.nowMs());
  // A boot merges only what was proven: then the trial had ended well, and no more than its record is missing.
  const proven = isSameLayer(await parts.usr.layer(), layer);
  return update(({ change: _cut, failure: _old, ...rest }) =>
    proven ? { ...withSerial(rest, layer), kept: change.layer } : { ...rest, failure },
  );
}

/** Nothing is remembered of what is merged, so nobody could say what comes of it. */
async function dropOrphan(work: HotLayerWork): Promise<string> {
  const { usr, console } = work.parts;
  const layer = await usr.layer();
  if (!layer) return '';
  const note = `hot layer ${hotLayerVersion(layer)} was merged, and plinthd had no record of it: it was taken away; stage it again`;
  console.say(note);
  await usr.choose({});
  await work.merge();
  await work.restart(undefined, layer);
  return note;
}

/** Another image runs. The layer waits as long as a slot could boot its base again, then it goes. */
async function leaveAside(
  work: HotLayerWork,
  kept: StoredLayer,
  version: string,
  isMerged: boolean,
): Promise<string> {
  const { usr, console } = work.parts;
  const layer = layerOf(kept);
  const name = `hot layer ${hotLayerVersion(layer)}`;
  if (isMerged) {
    await retireLayer(work, kept);
    return `${name} was taken away: the node runs another build of ${version}`;
  }
  const slots = await work.parts.slotRootHashes();
  if (slots.size === 0 || slots.has(layer.base.rootHash))
    return `${name} is not merged: the node runs ${version}; it is kept while a slot holds ${layer.base.version}`;
  const note = `${name} was removed: the node runs ${version}, and no slot holds ${layer.base.version} any more`;
  await usr.choose({});
  await work.update(({ kept: _gone, ...state }) => state);
  console.say(note);
  return note;
}

/** The boot before did not come up with it, so that this one left it out: it has to prove itself anew. */
async function tryAgain(work: HotLayerWork, kept: StoredLayer): Promise<void> {
  const { sys, bootId, console } = work.parts;
  const layer = layerOf(kept);
  const { leftOut = 0 } = await work.parts.state.read();
  if (leftOut >= TRIES) {
    const message = `Cannot keep the hot layer ${hotLayerVersion(layer)}: ${TRIES + 1} boots in a row did not come up with it`;
    const failure = failureOf(layer, 'hot-layer/not-healthy', message, sys.nowMs());
    await work.update(({ kept: _gone, leftOut: _count, ...state }) => ({ ...state, failure }));
    console.say(`hot layer: ${message}`);
    return;
  }
  const wasHealthy = await work.parts.isHealthy();
  const change = { kind: 'activate' as const, layer: kept, bootId, wasHealthy, selfRestarted: false };
  await work.update(({ kept: _gone, ...state }) => ({ ...state, change, leftOut: leftOut + 1 }));
  await bringAbout(work);
}

/**
 * watchBoot waits until the node is healthy with the layer that the boot has merged, and lets the next boot merge it again.
 * Ends early when the signal aborts.
 */
export async function watchBoot({ parts, update }: HotLayerWork): Promise<void> {
  const { signal, proveEveryMs = LOOK_MS } = parts;
  for (let inARow = 0; inARow < 2; ) {
    await pause(proveEveryMs, signal);
    if (signal.aborted) return;
    inARow = (await parts.isHealthy()) ? inARow + 1 : 0;
  }
  await parts.usr.bootEnded();
  if ((await parts.state.read()).leftOut !== undefined) await update(({ leftOut: _none, ...state }) => state);
}

/** It fits and is not merged: it was changed, or is gone. Other layers were left out with it, and what needs them. */
async function dropRefused(work: HotLayerWork, kept: StoredLayer): Promise<void> {
  const { usr, console, sys } = work.parts;
  const layer = layerOf(kept);
  await usr.choose({});
  const refused = await work.merge();
  await sys.run(SYSTEMCTL, ['start', '--no-block', 'multi-user.target']);
  const message = `Cannot merge the hot layer ${hotLayerVersion(layer)} at boot: systemd-sysext refused it, expected it as it was activated`;
  const without = refused ? `; without it: ${refused.message}` : '';
  const failure = failureOf(layer, 'hot-layer/refused', `${message}${without}`, sys.nowMs());
  await work.update(({ kept: _gone, ...state }) => ({ ...state, failure }));
  console.say(`hot layer: ${message}`);
}
