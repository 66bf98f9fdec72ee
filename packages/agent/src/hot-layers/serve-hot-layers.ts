import type { ConnectRouter } from '@connectrpc/connect';
import type { UpdatePolicy } from '@plinth/config';
import type { CheckSpec } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { systemdUnits } from '../kubernetes/units/run-unit.ts';
import { pause } from '../repeat.ts';
import { isStarting } from '../reports/system-state.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { sourceOf } from '../update/service/check-updates.ts';
import { askNowAndThen } from '../update/service/now-and-then.ts';
import { fetchNewest } from './fetch-hot-layer.ts';
import { findMapped } from './find-mapped.ts';
import { freeDrive } from './free-drive.ts';
import { hotLayerCheck } from './hot-layer-check.ts';
import { hotLayerService } from './hot-layer-service.ts';
import { openHotLayerState } from './hot-layer-state.ts';
import type { HotLayersParts } from './hot-layer-work.ts';
import { openMergedUsr } from './merge-hot-layer.ts';
import { openHotLayers } from './open-hot-layers.ts';
import { takePublished } from './take-published.ts';

export interface ServeHotLayersOptions
  extends Pick<HotLayersParts, 'sys' | 'console' | 'isHealthy' | 'slotRootHashes' | 'signal'> {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  /** Where versions come from; undefined when the machine config says nothing of it. */
  readonly policy: () => UpdatePolicy | undefined;
}

/** serveHotLayers opens the hot layer of this node on its real /usr. */
export async function serveHotLayers(options: ServeHotLayersOptions): Promise<{
  readonly check: CheckSpec;
  readonly routes: (router: ConnectRouter) => void;
  /** Takes up what the last plinthd or the boot has left to do, then takes what is published where the policy says so. */
  live(): Promise<void>;
}> {
  const { sys, store } = options;
  const units = systemdUnits(sys);
  const layers = openHotLayers({
    ...options,
    units,
    state: openHotLayerState(store),
    usr: openMergedUsr({ sys, store, units, freeDrive: () => freeDrive({ sys, store, units }) }),
    bootId: (await readText(sys, '/proc/sys/kernel/random/boot_id').catch(() => undefined)) ?? '',
    find: (paths, signal) => findMapped(sys, paths, signal),
    bootFinished: (signal) => bootFinished(sys, signal),
    newest: (base) =>
      fetchNewest({ sys, store, source: sourceOf(options.policy()), signal: options.signal }, base.version),
  });
  const { console, policy, signal } = options;
  return {
    check: hotLayerCheck(layers),
    routes: hotLayerService(layers),
    async live() {
      await layers.live();
      const wanted = () => policy()?.hotLayers === 'automatic';
      const ask = () => takePublished(layers, console);
      await askNowAndThen({ ask, wanted, console, topic: 'hot layer' }, signal);
    },
  };
}

const LOOK_MS = 3_000;

/** Waits while systemd says that it is starting. */
async function bootFinished(sys: Sys, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await isStarting(sys))) await pause(LOOK_MS, signal);
}
