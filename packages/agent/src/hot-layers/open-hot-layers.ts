import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StageHotLayerRequest } from '@plinth/api';
import { messageOf, PlinthError } from '@plinth/base';
import { type HotLayer, hotLayerVersion, judgeHotLayer } from '@plinth/updates';
import type { NodeConsole } from '../console.ts';
import { pause } from '../repeat.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import { isMissing, type Sys } from '../sys/sys.ts';
import {
  type HotLayerState,
  type HotLayerStateFile,
  layerOf,
  type StoredLayer,
  withSerial,
} from './hot-layer-state.ts';
import type { MergedUsr } from './merge-hot-layer.ts';
import { IMAGES, imageName, imagePath } from './places.ts';
import { SELF } from './plan-restarts.ts';
import { receiveHotLayer } from './receive-hot-layer.ts';
import { type Restarted, type RestartParts, restartOld } from './restart-old.ts';

export type HotLayerPhase = 'none' | 'on-trial' | 'active' | 'retiring' | 'dormant';

/** What a node says of its hot layer. */
export interface HotLayerView {
  readonly phase: HotLayerPhase;
  readonly layer?: StoredLayer | undefined;
  readonly state: HotLayerState;
  readonly busy: boolean;
  readonly note: string;
}

export interface HotLayersParts extends RestartParts {
  readonly sys: Sys;
  readonly state: HotLayerStateFile;
  readonly usr: MergedUsr;
  readonly console: Pick<NodeConsole, 'say'>;
  /** Of this boot. */
  readonly bootId: string;
  /** Whether the node can do its work. */
  isHealthy(): Promise<boolean>;
  /** Root hashes that the node's slots hold; empty when that cannot be told. */
  slotRootHashes(): Promise<ReadonlySet<string>>;
  readonly signal: AbortSignal;
  readonly folder?: string;
  /** Between two looks at the node's health. */
  readonly proveEveryMs?: number;
  readonly proveLimitMs?: number;
}

/** HotLayers is the one hot layer of a node. */
export interface HotLayers {
  view(): Promise<HotLayerView>;
  /** @throws hot-layer/… */
  stage(messages: AsyncIterable<StageHotLayerRequest>): Promise<StoredLayer>;
  /** Accepts or refuses at once; the work is the node's. @throws hot-layer/… */
  activate(serial: number): Promise<void>;
  /** Accepts or refuses at once. @throws hot-layer/… */
  retire(serial: number): Promise<void>;
  /** Takes up what the last plinthd or the boot has left to do. Never rejects. */
  live(): Promise<void>;
}

const PROVE_EVERY_MS = 5_000;
const PROVE_LIMIT_MS = 180_000;

/** openHotLayers keeps the node's hot layer: stored steps, resumed after a restart; a trial that a reboot ends. */
export function openHotLayers(parts: HotLayersParts): HotLayers {
  const { sys, state: file, usr, console, bootId, signal, folder = IMAGES } = parts;
  let busy = false;
  let note = '';

  const pathOf = (stored: StoredLayer | undefined) =>
    stored === undefined ? undefined : imagePath(stored.sha256, folder);

  async function exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (busy)
      throw new PlinthError(
        'hot-layer/busy',
        'Cannot change the hot layer: the node is at it, expected it to be idle',
        {
          retryable: true,
        },
      );
    busy = true;
    try {
      return await work();
    } finally {
      busy = false;
    }
  }

  async function judge(state: HotLayerState, layer: HotLayer): Promise<void> {
    const highestSerials = new Map(state.highest.map(({ rootHash, serial }) => [rootHash, serial]));
    const active = state.kept ? layerOf(state.kept) : undefined;
    judgeHotLayer({ booted: await usr.booted(), highestSerials, active }, layer);
  }

  /** Goes on by itself; what fails is remembered and said. */
  function begin(work: () => Promise<void>): void {
    void exclusively(work).catch((reason: unknown) => {
      if (!signal.aborted) console.say(`hot layer: ${messageOf(reason)}`);
    });
  }

  async function update(change: (state: HotLayerState) => HotLayerState): Promise<HotLayerState> {
    const next = change(await file.read());
    await file.write(next);
    return next;
  }

  /** From here on the file system at /usr is as it shall be, and all before it are former ones. */
  async function rememberDevices(): Promise<void> {
    const { usr: now, root } = await usr.devices();
    await update((state) => {
      const known = state.devices?.bootId === bootId ? state.devices : { good: [], former: [root] };
      const former = [...new Set([...known.former, ...known.good])].filter((device) => device !== now);
      return { ...state, devices: { bootId, good: [now], former } };
    });
  }

  /** The file system at /usr before a merge is a former one. */
  async function leaveDevice(): Promise<void> {
    const { usr: now, root } = await usr.devices();
    await update((state) => {
      const known = state.devices?.bootId === bootId ? state.devices : { good: [], former: [root] };
      return {
        ...state,
        devices: { bootId, good: [], former: [...new Set([...known.former, ...known.good, now])] },
      };
    });
  }

  async function restartWhatIsOld(...layers: readonly (HotLayer | undefined)[]): Promise<Restarted> {
    const paths = layers.flatMap((layer) =>
      layer ? [...layer.replaced.map(({ path }) => path), ...layer.added] : [],
    );
    const { devices } = await file.read();
    const known = { good: new Set(devices?.good), former: new Set(devices?.former) };
    return restartOld(parts, [...new Set(paths)], known, signal);
  }

  /** Restarts plinthd as its last act; what is left to do is stored. */
  async function restartSelf(): Promise<void> {
    console.say('hot layer: plinthd restarts to run the replaced files');
    await sys.run(SYSTEMCTL, ['restart', '--no-block', SELF]);
    await pause(60_000, signal, true);
  }

  async function bringAbout(): Promise<void> {
    const { change } = await file.read();
    if (!change) return;
    if (change.kind === 'retire') return retireNow(change.layer);
    try {
      await tryLayer(change);
    } catch (reason) {
      if (signal.aborted) throw reason;
      await takeBack(
        change.layer,
        PlinthError.from(reason, 'hot-layer/failed', 'Cannot activate the hot layer'),
      );
    }
  }

  async function tryLayer(change: NonNullable<HotLayerState['change']>): Promise<void> {
    const layer = layerOf(change.layer);
    const version = hotLayerVersion(layer);
    const { kept } = await file.read();
    if (!isSame(await usr.layer(), layer)) {
      await usr.choose({ trial: pathOf(change.layer), kept: pathOf(kept) });
      await leaveDevice();
      const refused = await usr.merge(signal);
      signal.throwIfAborted();
      const merged = refused ? undefined : await usr.layer();
      if (!isSame(merged, layer))
        throw new PlinthError(
          'hot-layer/refused',
          `Cannot merge the hot layer ${version}: ${refused?.message ?? (merged ? 'it says something else inside than beside it' : 'systemd-sysext left it out')}, expected a layer that this node trusts`,
          { cause: refused },
        );
      await update((state) => withSerial(state, layer));
      await rememberDevices();
      console.say(`hot layer: ${version} is merged, on trial`);
    }
    const before = kept ? layerOf(kept) : undefined;
    const restarted = await restartWhatIsOld(layer, before);
    await remember(restarted);
    if (restarted.restartSelf && !change.selfRestarted) {
      await update((state) => ({ ...state, change: { ...change, selfRestarted: true } }));
      return restartSelf();
    }
    const { failed } = restarted.report;
    if (failed.length > 0)
      throw new PlinthError('hot-layer/not-healthy', `Cannot keep the hot layer ${version}: ${failed[0]}`);
    await prove(version, change.wasHealthy);
    await usr.choose({ kept: pathOf(change.layer) });
    await update(({ change: _done, staged: _staged, failure: _old, ...state }) => ({
      ...state,
      kept: change.layer,
    }));
    await dropUnused();
    console.say(
      `hot layer: ${version} is active; ${restarted.report.remaining.length} processes still run replaced code`,
    );
  }

  /** A node that was healthy has to be so again, twice in a row; what was broken before it need not mend. */
  async function prove(version: string, wasHealthy: boolean): Promise<void> {
    if (!wasHealthy) return;
    const { proveEveryMs = PROVE_EVERY_MS, proveLimitMs = PROVE_LIMIT_MS } = parts;
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
  async function takeBack(stored: StoredLayer, reason: PlinthError): Promise<void> {
    const layer = layerOf(stored);
    const { kept } = await file.read();
    await usr.choose({ kept: pathOf(kept) });
    await leaveDevice();
    const refused = await usr.merge(signal);
    await rememberDevices();
    const restarted = await restartWhatIsOld(layer, kept ? layerOf(kept) : undefined);
    await remember(restarted);
    const { code, message } = reason;
    const failure = {
      ...{ code, serial: layer.serial, atMs: sys.nowMs() },
      message: `${message}${refused ? `; and the merge of what was before: ${refused.message}` : ''}`.slice(
        0,
        2000,
      ),
    };
    await update(({ change: _done, ...state }) => ({ ...state, failure }));
    console.say(`hot layer: ${message}`);
    if (restarted.restartSelf) await restartSelf();
  }

  async function retireNow(stored: StoredLayer): Promise<void> {
    const layer = layerOf(stored);
    if (await usr.layer()) {
      await usr.choose({});
      await leaveDevice();
      const refused = await usr.merge(signal);
      if (refused) console.say(`hot layer: ${refused.message}`);
      await rememberDevices();
    }
    const restarted = await restartWhatIsOld(layer);
    await remember(restarted);
    await update(({ change: _done, kept: _gone, failure: _old, ...state }) => state);
    await dropUnused();
    console.say(`hot layer: ${hotLayerVersion(layer)} is taken away`);
    if (restarted.restartSelf) await restartSelf();
  }

  async function remember({ report }: Restarted): Promise<void> {
    await update((state) => ({ ...state, report }));
  }

  /** The boot has merged what was kept, or has left it out. */
  async function afterStart(): Promise<void> {
    let state = await file.read();
    if (state.change?.kind === 'activate' && state.change.bootId !== bootId) {
      const { serial } = layerOf(state.change.layer);
      const message = `Cannot keep the hot layer of serial ${serial}: the node was booted anew during its trial`;
      const failure = { code: 'hot-layer/not-healthy', message, serial, atMs: sys.nowMs() };
      state = await update(({ change: _cut, ...rest }) => ({ ...rest, failure }));
    }
    if (state.change) return bringAbout();
    if (!state.kept) return;
    const layer = layerOf(state.kept);
    const booted = await usr.booted();
    const merged = await usr.layer();
    if (layer.base.rootHash !== booted.rootHash)
      return leaveAside(state.kept, booted.version, merged !== undefined);
    if (!isSame(merged, layer)) return dropRefused(state.kept);
    await rememberDevices();
    const restarted = await restartWhatIsOld(layer);
    await remember(restarted);
    if (restarted.restartSelf && state.settledBoot !== bootId) {
      await update((now) => ({ ...now, settledBoot: bootId }));
      await restartSelf();
    }
  }

  /** Another image runs. The layer waits as long as a slot could boot its base again, then it goes. */
  async function leaveAside(kept: StoredLayer, version: string, isMerged: boolean): Promise<void> {
    const layer = layerOf(kept);
    if (isMerged) return retireNow(kept);
    const slots = await parts.slotRootHashes();
    if (slots.size === 0 || slots.has(layer.base.rootHash)) {
      note = `hot layer ${hotLayerVersion(layer)} is not merged: the node runs ${version}; it is kept while a slot holds ${layer.base.version}`;
      return;
    }
    note = `hot layer ${hotLayerVersion(layer)} was removed: the node runs ${version}, and no slot holds ${layer.base.version} any more`;
    await usr.choose({});
    await update(({ kept: _gone, ...state }) => state);
    await dropUnused();
    console.say(note);
  }

  /** It fits and is not merged: it was changed, or is gone. Other layers were left out with it, and what needs them. */
  async function dropRefused(kept: StoredLayer): Promise<void> {
    const layer = layerOf(kept);
    await usr.choose({});
    const refused = await usr.merge(signal);
    await rememberDevices();
    await sys.run(SYSTEMCTL, ['start', '--no-block', 'multi-user.target']);
    const message = `Cannot merge the hot layer ${hotLayerVersion(layer)} at boot: systemd-sysext refused it, expected it as it was activated`;
    const failure = {
      ...{ code: 'hot-layer/refused', serial: layer.serial, atMs: sys.nowMs() },
      message: refused ? `${message}; without it: ${refused.message}`.slice(0, 2000) : message,
    };
    await update(({ kept: _gone, ...state }) => ({ ...state, failure }));
    await dropUnused();
    console.say(`hot layer: ${message}`);
  }

  async function dropUnused(): Promise<void> {
    const { staged, kept, change } = await file.read();
    const used = new Set([staged, kept, change?.layer].map((one) => (one ? imageName(one.sha256) : '')));
    const names = await readdir(folder).catch((reason: unknown) => {
      if (isMissing(reason)) return [];
      throw reason;
    });
    for (const name of names.filter((each) => each.endsWith('.raw') && !used.has(each)))
      await rm(join(folder, name), { force: true });
  }

  return {
    async view() {
      const state = await file.read();
      const { kept, change } = state;
      if (change) {
        const phase = change.kind === 'retire' ? 'retiring' : 'on-trial';
        return { phase, layer: change.layer, state, busy, note };
      }
      if (!kept) return { phase: 'none', state, busy, note };
      const isBase = layerOf(kept).base.rootHash === (await usr.booted()).rootHash;
      return { phase: isBase ? 'active' : 'dormant', layer: kept, state, busy, note };
    },
    stage: (messages) =>
      exclusively(async () => {
        const stored = await receiveHotLayer(
          sys,
          messages,
          async (layer) => judge(await file.read(), layer),
          folder,
        );
        await update((state) => ({ ...state, staged: stored }));
        await dropUnused();
        return stored;
      }),
    async activate(serial) {
      const layer = await exclusively(async () => {
        const state = await file.read();
        const { staged } = state;
        if (!staged || layerOf(staged).serial !== serial)
          throw new PlinthError(
            'hot-layer/not-staged',
            `Cannot activate the hot layer of serial ${serial}: ${staged ? `serial ${layerOf(staged).serial} is staged` : 'none is staged'}, expected it to be`,
          );
        await judge(state, layerOf(staged));
        return staged;
      });
      const wasHealthy = await parts.isHealthy();
      await update((state) => ({
        ...state,
        change: { kind: 'activate', layer, bootId, wasHealthy, selfRestarted: false },
      }));
      begin(bringAbout);
    },
    async retire(serial) {
      await exclusively(async () => {
        const { kept } = await file.read();
        if (!kept || layerOf(kept).serial !== serial)
          throw new PlinthError(
            'hot-layer/not-staged',
            `Cannot retire the hot layer of serial ${serial}: ${kept ? `serial ${layerOf(kept).serial} is active` : 'none is active'}, expected it to be`,
          );
        const change = {
          kind: 'retire' as const,
          layer: kept,
          bootId,
          wasHealthy: true,
          selfRestarted: false,
        };
        await update((state) => ({ ...state, change }));
      });
      begin(bringAbout);
    },
    async live() {
      await exclusively(async () => {
        await afterStart();
        await dropUnused();
      }).catch((reason: unknown) => {
        if (!signal.aborted) console.say(`hot layer: ${messageOf(reason)}`);
      });
    },
  };
}

function isSame(a: HotLayer | undefined, b: HotLayer): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
