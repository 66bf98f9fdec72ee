import type { StageHotLayerRequest } from '@plinth/api';
import { messageOf, PlinthError } from '@plinth/base';
import { type HotLayer, judgeHotLayer } from '@plinth/updates';
import { afterStart, watchBoot } from './after-start.ts';
import { bringAbout } from './change-layer.ts';
import { type HotLayerState, layerOf, type StoredLayer } from './hot-layer-state.ts';
import { type HotLayersParts, openHotLayerWork } from './hot-layer-work.ts';
import { receiveHotLayer, storeHotLayer } from './receive-hot-layer.ts';

export type HotLayerPhase = 'none' | 'on-trial' | 'active' | 'retiring' | 'dormant';

/** What a node says of its hot layer. */
export interface HotLayerView {
  readonly phase: HotLayerPhase;
  readonly layer?: StoredLayer | undefined;
  readonly state: HotLayerState;
  readonly busy: boolean;
  readonly note: string;
}

/** HotLayers is the one hot layer of a node. */
export interface HotLayers {
  view(): Promise<HotLayerView>;
  /** @throws hot-layer/… */
  stage(messages: AsyncIterable<StageHotLayerRequest>): Promise<StoredLayer>;
  /**
   * Stores the newest layer of the node's repository.
   * @param require looks at what comes before it is fetched, and throws what is not wanted; default: all is
   * @throws hot-layer/…, update/…
   */
  fetch(require?: (state: HotLayerState, layer: HotLayer) => void): Promise<StoredLayer>;
  /** Accepts or refuses at once; the work is the node's. @throws hot-layer/… */
  activate(serial: number): Promise<void>;
  /** Accepts or refuses at once. @throws hot-layer/… */
  retire(serial: number): Promise<void>;
  /** Takes up what the last plinthd or the boot has left to do. Never rejects. */
  live(): Promise<void>;
}

/** openHotLayers keeps the node's hot layer: stored steps, resumed after a restart; a trial that a reboot ends. */
export function openHotLayers(parts: HotLayersParts): HotLayers {
  const { sys, state: file, usr, console, bootId, signal, folder } = parts;
  const work = openHotLayerWork(parts);
  let busy = false;
  let note = '';

  function begin(): void {
    if (busy)
      throw new PlinthError(
        'hot-layer/busy',
        'Cannot change the hot layer: the node is at it, expected it to be idle',
        { retryable: true },
      );
    busy = true;
  }

  async function exclusively<T>(act: () => Promise<T>): Promise<T> {
    begin();
    try {
      return await act();
    } finally {
      busy = false;
    }
  }

  /** Stores what is to be done, answers, and goes on by itself; what fails is remembered and said. */
  async function accept(prepare: (state: HotLayerState) => Promise<HotLayerState['change']>): Promise<void> {
    begin();
    try {
      const change = await prepare(await file.read());
      await work.update((state) => ({ ...state, change }));
    } catch (reason) {
      busy = false;
      throw reason;
    }
    note = '';
    void bringAbout(work)
      .catch((reason: unknown) => {
        if (!signal.aborted) console.say(`hot layer: ${messageOf(reason)}`);
      })
      .finally(() => {
        busy = false;
      });
  }

  async function judge(state: HotLayerState, layer: HotLayer): Promise<void> {
    const highestSerials = new Map(state.highest.map(({ rootHash, serial }) => [rootHash, serial]));
    const active = state.kept ? layerOf(state.kept) : undefined;
    judgeHotLayer({ booted: await usr.booted(), highestSerials, active }, layer);
  }

  async function staged(stored: StoredLayer): Promise<StoredLayer> {
    await work.update((state) => ({ ...state, staged: stored }));
    await work.dropUnused();
    return stored;
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
        const state = await file.read();
        return staged(await receiveHotLayer(sys, messages, (layer) => judge(state, layer), folder));
      }),
    fetch: (require = () => {}) =>
      exclusively(async () => {
        const state = await file.read();
        const { incoming, close } = await parts.newest(await usr.booted());
        try {
          await judge(state, incoming.layer);
          require(state, incoming.layer);
          return await staged(await storeHotLayer(sys, incoming, folder));
        } finally {
          close();
        }
      }),
    activate: (serial) =>
      accept(async (state) => {
        const layer = requireSerial('activate', serial, state.staged, 'staged');
        await judge(state, layerOf(layer));
        const wasHealthy = await parts.isHealthy();
        return { kind: 'activate', layer, bootId, wasHealthy, selfRestarted: false };
      }),
    retire: (serial) =>
      accept(async ({ kept }) => {
        const layer = requireSerial('retire', serial, kept, 'active');
        return { kind: 'retire', layer, bootId, wasHealthy: true, selfRestarted: false };
      }),
    async live() {
      await exclusively(async () => {
        note = await afterStart(work);
        await work.dropUnused();
        void watchBoot(work).catch(() => {}); // then the next boot leaves the layer out, and it is tried again
      }).catch((reason: unknown) => {
        if (!signal.aborted) console.say(`hot layer: ${messageOf(reason)}`);
      });
    },
  };
}

/** The stored layer, when it is the one of that serial. @throws hot-layer/not-staged */
function requireSerial(
  verb: string,
  serial: number,
  stored: StoredLayer | undefined,
  state: string,
): StoredLayer {
  const found = stored && layerOf(stored).serial;
  if (stored && found === serial) return stored;
  throw new PlinthError(
    'hot-layer/not-staged',
    `Cannot ${verb} the hot layer of serial ${serial}: ${found === undefined ? 'none' : `serial ${found}`} is ${state}, expected it to be`,
  );
}
