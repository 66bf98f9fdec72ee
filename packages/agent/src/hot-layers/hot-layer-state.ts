import { createHash } from 'node:crypto';
import type { ErrorCode } from '@plinth/base';
import { formatHotLayer, type HotLayer, MANIFEST_LIMIT_BYTES, parseHotLayer } from '@plinth/updates';
import { z } from 'zod';
import { readStored } from '../sys/read-stored.ts';
import type { StateStore } from '../sys/state-store.ts';
import { FOLDER } from './places.ts';

const NAME = `${FOLDER}/state.json`;
/** Bases that are remembered; a node has two slots. */
const BASES_LIMIT = 8;

const stored = z.object({
  /** As text: it is compared byte by byte with what the layer itself says. */
  manifest: z.string().max(MANIFEST_LIMIT_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().positive(),
});
const remaining = z.object({
  pid: z.int(),
  process: z.string(),
  unit: z.string(),
  podUid: z.string(),
  paths: z.array(z.string()),
  reason: z.string(),
});
const schema = z.object({
  format: z.literal(1),
  /** Never lowered: no older layer of a base is taken again. */
  highest: z.array(z.object({ rootHash: z.string(), serial: z.int().positive() })),
  staged: stored.optional(),
  /** What is merged at boot. */
  kept: stored.optional(),
  /** What is being brought about: a layer on trial, or the way back to the image. */
  change: z
    .object({
      kind: z.enum(['activate', 'retire']),
      layer: stored,
      /** A reboot ends a trial. */
      bootId: z.string(),
      wasHealthy: z.boolean(),
      /** plinthd has restarted itself for it. */
      selfRestarted: z.boolean(),
    })
    .optional(),
  /** Of one boot: the file systems that were at /usr, "major:minor", each with the digest of its hot layer; "" for none. */
  devices: z
    .object({ bootId: z.string(), seen: z.array(z.object({ device: z.string(), layer: z.string() })) })
    .optional(),
  /** What was restarted before plinthd restarted itself, and itself: the next report goes on from it. */
  carried: z.array(z.string()).optional(),
  /** Boots in a row that did not come up with the kept layer. */
  leftOut: z.int().positive().optional(),
  /** The boot whose early processes were restarted. */
  settledBoot: z.string().optional(),
  report: z
    .object({
      endedAtMs: z.number(),
      restarted: z.array(z.string()),
      failed: z.array(z.string()),
      remaining: z.array(remaining),
      seen: z.int(),
      hidden: z.int(),
    })
    .optional(),
  failure: z
    .object({
      code: z.string(),
      message: z.string(),
      serial: z.int(),
      /** Of the base; absent in what an older plinthd remembered. */
      rootHash: z.string().optional(),
      atMs: z.number(),
    })
    .optional(),
});

/** A layer that lies on the node. */
export type StoredLayer = z.infer<typeof stored>;
/** What plinthd remembers of hot layers. */
export type HotLayerState = z.infer<typeof schema>;
export type HotLayerReport = NonNullable<HotLayerState['report']>;

const EMPTY: HotLayerState = { format: 1, highest: [] };

/** layerOf is what a stored layer says of itself. @throws hot-layer/invalid */
export function layerOf({ manifest }: Pick<StoredLayer, 'manifest'>): HotLayer {
  return parseHotLayer(manifest, 'the stored manifest');
}

/** layerDigest names a layer in every word of its manifest; "" for none. */
export function layerDigest(layer: HotLayer | undefined): string {
  return layer ? createHash('sha256').update(formatHotLayer(layer)).digest('hex') : '';
}

/** storedLayer is a layer as it is remembered. */
export function storedLayer(layer: HotLayer, sha256: string, sizeBytes: number): StoredLayer {
  return { manifest: formatHotLayer(layer), sha256, sizeBytes };
}

/** failureOf is what is remembered of a layer that did not stay. Pure. */
export function failureOf(
  { serial, base }: HotLayer,
  code: ErrorCode,
  message: string,
  atMs: number,
): HotLayerState['failure'] {
  return { code, message: message.slice(0, 2000), serial, rootHash: base.rootHash, atMs };
}

/** withSerial remembers that a layer of a base was proven. Pure. */
export function withSerial(state: HotLayerState, { base, serial }: HotLayer): HotLayerState {
  const others = state.highest.filter(({ rootHash }) => rootHash !== base.rootHash);
  const before = state.highest.find(({ rootHash }) => rootHash === base.rootHash)?.serial ?? 0;
  const highest = [...others, { rootHash: base.rootHash, serial: Math.max(before, serial) }];
  return { ...state, highest: highest.slice(-BASES_LIMIT) };
}

/** Reads and replaces the state. */
export interface HotLayerStateFile {
  read(): Promise<HotLayerState>;
  write(state: HotLayerState): Promise<void>;
}

/** openHotLayerState keeps the state in plinthd's store; a file of another shape is put aside. */
export function openHotLayerState(store: StateStore, onSetAside: () => void = () => {}): HotLayerStateFile {
  return {
    read: async () => (await readStored(store, NAME, schema, onSetAside)) ?? EMPTY,
    write: (state) => store.write(NAME, Buffer.from(`${JSON.stringify(state, undefined, 1)}\n`)),
  };
}
