import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { StageHotLayerRequestSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { formatHotLayer, type HotLayer } from '@plinth/updates';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import type { FetchedHotLayer } from './fetch-hot-layer.ts';
import { openHotLayerState } from './hot-layer-state.ts';
import { type HotLayers, openHotLayers } from './open-hot-layers.ts';

export const ROOT_HASH = 'a'.repeat(64);
const ROOT_DEVICE = '253:0';
const LIB = '/usr/lib/x86_64-linux-gnu/libssl.so.3';

/** layerOfSerial is a layer whose image is signed, over the model's base. */
export function layerOfSerial(serial: number, changes: Partial<HotLayer> = {}): HotLayer {
  return {
    ...{ format: 1, name: 'hot-layer', architecture: 'x86-64', serial },
    base: { name: 'plinth', version: '1.4.2', rootHash: ROOT_HASH },
    created: '2026-11-22T00:00:00.000Z',
    fixes: [{ package: 'libssl3t64', from: '1', to: `${serial}` }],
    advisories: [],
    replaced: [{ path: LIB, before: ROOT_HASH, after: 'b'.repeat(64) }],
    added: [],
    ...changes,
  };
}

/**
 * A node in memory: links, what systemd-sysext merges, which unit maps the library from which file system. plinthd can be
 * killed between any two acts on it, and the machine booted anew.
 */
export class ModelNode {
  /** Services, and those among them that start before layers are merged; PID 1 is one of these. */
  readonly units = ['init.scope', 'systemd-journald.service', 'systemd-resolved.service', 'plinthd.service'];
  readonly early = ['init.scope', 'systemd-journald.service'];
  /** Which of them link the library. */
  linking = new Set(this.units);
  healthy = true;
  /** Units that do not start with a layer merged. */
  broken = new Set<string>();
  /** Signed content of images, by their file; what is not here the kernel refuses. */
  readonly signed = new Map<string, HotLayer>();
  /** Root hashes in the slots. */
  slots = new Set([ROOT_HASH]);
  booted = { name: 'plinth', version: '1.4.2', rootHash: ROOT_HASH };
  trial: string | undefined;
  kept: string | undefined;
  merged: HotLayer | undefined;
  device = ROOT_DEVICE;
  readonly maps = new Map<string, string>();
  /** Acts until plinthd is killed. */
  budget = Number.POSITIVE_INFINITY;
  readonly said: string[] = [];
  readonly folder: string;
  readonly #store: StateStore = memoryStore('a test');
  /** Serials of layers whose manifest inside is of a form that plinthd does not know. */
  readonly unreadable = new Set<number>();
  /** What the repository has for the image; signed, unless the kernel is to refuse it. */
  published: { readonly layer: HotLayer; readonly content?: string } | undefined;
  /** How often the image of what is published was asked for. */
  fetches = 0;
  /** Another layer is merged too, so that an overlay lies over /usr in any case. */
  kubernetes = false;
  readonly #contents = new Map([[ROOT_DEVICE, 0]]);
  #devices = 40;
  #boots = 0;
  #stop = new AbortController();
  #layers: HotLayers | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.#start();
  }

  /** The mark of a boot with a kept layer that has not come to health yet. */
  marked = false;

  /** Ends the machine in whatever state it is and boots it: what is in memory is gone. */
  reboot(): void {
    this.#stop.abort();
    this.trial = undefined;
    if (this.marked) [this.kept, this.marked] = [undefined, false];
    this.marked = this.kept !== undefined;
    this.#start();
  }

  #start(): void {
    this.#boots++;
    [this.merged, this.device] = [undefined, ROOT_DEVICE];
    for (const unit of this.units) this.maps.set(unit, ROOT_DEVICE);
    this.#merge();
    for (const unit of this.units) if (!this.early.includes(unit)) this.maps.set(unit, this.device);
    this.restartPlinthd();
  }

  /** systemd starts plinthd again. */
  restartPlinthd(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.maps.set('plinthd.service', this.device);
    this.#layers = this.#open(this.#stop);
  }

  get plinthd(): HotLayers {
    if (!this.#layers) throw new Error('plinthd does not run');
    return this.#layers;
  }

  get isAlive(): boolean {
    return !this.#stop.signal.aborted;
  }

  /** Waits until plinthd has nothing more to do, or was killed; a plinthd that restarted itself goes on. */
  async idle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (!this.isAlive || !(await this.plinthd.view()).busy) return;
    }
  }

  async stage(layer: HotLayer, content = formatHotLayer(layer)): Promise<void> {
    const bytes = Buffer.from(content);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const manifest = Buffer.from(formatHotLayer(layer));
    await this.plinthd.stage(
      (async function* () {
        yield create(StageHotLayerRequestSchema, { manifest, sha256, sizeBytes: BigInt(bytes.length) });
        yield create(StageHotLayerRequestSchema, { chunk: bytes });
      })(),
    );
    if (content === formatHotLayer(layer)) this.signed.set(`${this.folder}/${sha256}.raw`, layer);
  }

  /** Units that run other code than what lies at /usr: the same file of another overlay is the same code. */
  old(): string[] {
    const now = this.#contents.get(this.device);
    return [...this.linking].filter((unit) => this.#contents.get(this.maps.get(unit) ?? '') !== now);
  }

  /** What systemd-sysext does: leaves out what is for another version, refuses all for what is not signed. */
  #merge(): PlinthError | undefined {
    const chosen = this.trial ?? this.kept;
    const layer = chosen === undefined ? undefined : this.signed.get(chosen);
    if (chosen !== undefined && layer === undefined)
      return new PlinthError('kubernetes/unit-failed', 'Cannot run it: Required key not available');
    const fits = layer?.base.version === this.booted.version;
    this.merged = fits ? layer : undefined;
    this.device = fits || this.kubernetes ? `0:${++this.#devices}` : ROOT_DEVICE;
    this.#contents.set(this.device, this.merged?.serial ?? 0);
    return undefined;
  }

  #open(stop: AbortController): HotLayers {
    const act = (): void => {
      if (this.budget-- <= 0) stop.abort();
      if (stop.signal.aborted) throw new Error('plinthd was killed');
    };
    const start = (unit: string): void => {
      if (this.merged && this.broken.has(unit))
        throw new PlinthError('kubernetes/unit-failed', `Cannot run ${unit}: it ended`);
      this.maps.set(unit, this.device);
    };
    return openHotLayers({
      sys: {
        ...fakeSys({ usage: { availableBytes: 1e12 }, nowMs: 1 }),
        run: async (_program, args) => {
          act();
          if (args.includes('daemon-reexec')) start('init.scope');
          if (args.includes('plinthd.service')) this.#later(stop);
          return { exitCode: 0, stdout: '', stderr: '' };
        },
      },
      units: {
        state: async () => ({
          load: '',
          active: 'active',
          result: '',
          invocation: '',
          conditionsMet: true,
          busy: false,
        }),
        run: async (_verb, unit) => {
          act();
          start(unit);
        },
      },
      find: async () => ({
        ...{ seen: this.units.length, hidden: 0 },
        mappings: [...this.linking].map((unit, at) => ({
          ...{ pid: unit === 'init.scope' ? 1 : at + 100, name: unit, path: LIB },
          cgroup: unit === 'init.scope' ? '/init.scope' : `/system.slice/${unit}`,
          device: this.maps.get(unit) ?? '',
        })),
      }),
      state: openHotLayerState({
        ...this.#store,
        write: async (name, data) => {
          act();
          await this.#store.write(name, data);
        },
      }),
      usr: {
        booted: async () => this.booted,
        layer: async () => {
          if (this.merged && this.unreadable.has(this.merged.serial))
            throw new PlinthError('hot-layer/invalid', 'Cannot read what is merged');
          return this.merged;
        },
        devices: async () => ({ usr: this.device, root: ROOT_DEVICE }),
        choose: async ({ trial, kept }) => {
          act();
          [this.trial, this.kept] = [trial, kept];
        },
        isKept: async () => this.kept !== undefined,
        bootEnded: async () => {
          this.marked = false;
        },
        merge: async () => {
          act();
          return this.#merge();
        },
      },
      console: { say: (text) => void this.said.push(text) },
      bootId: `boot-${this.#boots}`,
      newest: async () => this.#fetchPublished(),
      bootFinished: async () => {},
      isHealthy: async () => this.healthy,
      slotRootHashes: async () => this.slots,
      signal: stop.signal,
      folder: this.folder,
      ...{ proveEveryMs: 0, proveLimitMs: 20 },
    });
  }

  #fetchPublished(): FetchedHotLayer {
    if (!this.published)
      throw new PlinthError('hot-layer/none-published', 'Cannot fetch a hot layer: there is none');
    const { layer, content = formatHotLayer(layer) } = this.published;
    const bytes = Buffer.from(content);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (content === formatHotLayer(layer)) this.signed.set(`${this.folder}/${sha256}.raw`, layer);
    const asked = () => void this.fetches++;
    const image = (async function* () {
      asked();
      yield bytes;
    })();
    return { incoming: { layer, sha256, sizeBytes: bytes.length, content: image }, close: () => {} };
  }

  /** systemd ends plinthd and starts it again; the new one takes up what is left. */
  #later(stop: AbortController): void {
    setTimeout(() => {
      if (stop.signal.aborted) return;
      this.restartPlinthd();
      void this.plinthd.live();
    }, 0);
  }
}
