import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HotLayer } from '@plinth/updates';
import type { NodeConsole } from '../console.ts';
import { pause } from '../repeat.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import { isMissing, type Sys } from '../sys/sys.ts';
import type { FetchedHotLayer } from './fetch-hot-layer.ts';
import {
  type HotLayerState,
  type HotLayerStateFile,
  layerDigest,
  type StoredLayer,
} from './hot-layer-state.ts';
import type { MergedUsr } from './merge-hot-layer.ts';
import { IMAGES, imageName, imagePath } from './places.ts';
import { SELF } from './plan-restarts.ts';
import { type Restarted, type RestartParts, restartOld } from './restart-old.ts';

/** As many file systems at /usr as one boot is remembered by. */
const DEVICES_LIMIT = 60;

export interface HotLayersParts extends RestartParts {
  readonly sys: Sys;
  readonly state: HotLayerStateFile;
  readonly usr: MergedUsr;
  readonly console: Pick<NodeConsole, 'say'>;
  /** Of this boot. */
  readonly bootId: string;
  /** Whether the node can do its work. */
  isHealthy(): Promise<boolean>;
  /** The newest layer that the repository has for an image. @throws hot-layer/none-published, update/… */
  newest(base: Pick<HotLayer['base'], 'version'>): Promise<FetchedHotLayer>;
  /** Root hashes that the node's slots hold; empty when that cannot be told. */
  slotRootHashes(): Promise<ReadonlySet<string>>;
  /** Waits until the boot has started all it starts, or will not for long: PID 1 is left in peace meanwhile. */
  bootFinished(signal: AbortSignal): Promise<void>;
  readonly signal: AbortSignal;
  readonly folder?: string;
  /** Between two looks at the node's health. */
  readonly proveEveryMs?: number;
  readonly proveLimitMs?: number;
}

/** What every change of a hot layer is made of. */
export interface HotLayerWork {
  readonly parts: HotLayersParts;
  /** Changes what is remembered, whole. */
  update(change: (state: HotLayerState) => HotLayerState): Promise<HotLayerState>;
  /** Where the image of a stored layer lies. */
  pathOf(stored: StoredLayer | undefined): string | undefined;
  /**
   * Merges what the links choose, and remembers what the file systems at /usr before and after hold. Gives why it was
   * refused; undefined when it was not.
   */
  merge(): Promise<Error | undefined>;
  /** Remembers what the file system at /usr holds now. */
  noteDevice(): Promise<void>;
  /**
   * Restarts what maps a file of one of the two layers from another file system than those that hold `wanted` (undefined: the
   * image alone), and remembers what was done.
   */
  restart(wanted: HotLayer | undefined, other?: HotLayer | undefined): Promise<Restarted>;
  /** Restarts plinthd; what is left to do is stored. @param looks whether the next plinthd looks again, and goes on with the report */
  restartSelf(looks: boolean): Promise<void>;
  /** Removes images that nothing needs. */
  dropUnused(): Promise<void>;
}

/** openHotLayerWork works on the node. */
export function openHotLayerWork(parts: HotLayersParts): HotLayerWork {
  const { sys, state: file, usr, console, bootId, signal, folder = IMAGES } = parts;

  async function update(change: (state: HotLayerState) => HotLayerState): Promise<HotLayerState> {
    const next = change(await file.read());
    await file.write(next);
    return next;
  }

  /** Remembers what the file system at /usr holds now. */
  async function noteDevice(): Promise<void> {
    const { usr: now, root } = await usr.devices();
    // One that cannot be read is none that anybody wants.
    const layer = await usr.layer().then(layerDigest, () => 'unreadable');
    await update((state) => {
      const seen = state.devices?.bootId === bootId ? state.devices.seen : [{ device: root, layer: '' }];
      const others = seen.filter(({ device }) => device !== now).slice(-DEVICES_LIMIT);
      return { ...state, devices: { bootId, seen: [...others, { device: now, layer }] } };
    });
  }

  return {
    parts,
    update,
    pathOf: (stored) => (stored === undefined ? undefined : imagePath(stored.sha256, folder)),
    async merge() {
      await noteDevice();
      const refused = await usr.merge(signal);
      signal.throwIfAborted();
      await noteDevice();
      return refused;
    },
    noteDevice,
    async restart(wanted, other) {
      const paths = [wanted, other].flatMap((layer) =>
        layer ? [...layer.replaced.map(({ path }) => path), ...layer.added] : [],
      );
      const { devices, carried = [] } = await file.read();
      const meant = layerDigest(wanted);
      const having = (is: boolean) =>
        new Set(devices?.seen.flatMap(({ device, layer }) => ((layer === meant) === is ? [device] : [])));
      const known = { good: having(true), former: having(false) };
      const { report, restartSelf } = await restartOld(parts, [...new Set(paths)], known, signal);
      const whole = { ...report, restarted: [...new Set([...carried, ...report.restarted])] };
      await update(({ carried: _told, ...state }) => ({ ...state, report: whole }));
      return { report: whole, restartSelf };
    },
    async restartSelf(looks) {
      console.say('hot layer: plinthd restarts to run the replaced files');
      await update((state) => {
        const restarted = [...(state.report?.restarted ?? []), SELF];
        if (looks) return { ...state, carried: restarted };
        return { ...state, ...(state.report && { report: { ...state.report, restarted } }) };
      });
      await sys.run(SYSTEMCTL, ['restart', '--no-block', SELF]);
      await pause(60_000, signal, true);
    },
    async dropUnused() {
      const { staged, kept, change } = await file.read();
      const used = new Set([staged, kept, change?.layer].map((one) => (one ? imageName(one.sha256) : '')));
      const names = await readdir(folder).catch((reason: unknown) => {
        if (isMissing(reason)) return [];
        throw reason;
      });
      for (const name of names.filter((each) => each.endsWith('.raw') && !used.has(each)))
        await rm(join(folder, name), { force: true });
    },
  };
}
