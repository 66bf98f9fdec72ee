import type { StageHotLayerRequest } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { HOT_LAYER_LIMIT_BYTES, type HotLayer, MANIFEST_LIMIT_BYTES, parseHotLayer } from '@plinth/updates';
import { storeUpload } from '../sys/store-upload.ts';
import type { Sys } from '../sys/sys.ts';
import { type StoredLayer, storedLayer } from './hot-layer-state.ts';
import { IMAGES, imageName } from './places.ts';

/** What must stay free on /var beside the layer. */
const RESERVE_BYTES = 128 * 1024 * 1024;

/**
 * receiveHotLayer takes one stream of StageHotLayer: first the description, which is judged before any byte of the image is
 * taken. What the image really is the kernel and its own manifest say when it is merged.
 * @param judge throws for a layer that this node must not take
 * @throws hot-layer/invalid, hot-layer/space, and what `judge` throws
 */
export async function receiveHotLayer(
  sys: Pick<Sys, 'usage'>,
  messages: AsyncIterable<StageHotLayerRequest>,
  judge: (layer: HotLayer) => Promise<void>,
  folder: string = IMAGES,
): Promise<StoredLayer> {
  const stream = messages[Symbol.asyncIterator]();
  const first = await stream.next();
  if (first.done) throw invalid('an empty stream, expected a layer');
  const { sha256 } = first.value;
  const sizeBytes = Number(first.value.sizeBytes);
  const { manifest, next } = await readManifest(first.value, stream);
  const layer = parseHotLayer(manifest, 'what was sent first');
  await judge(layer);
  const rest = { [Symbol.asyncIterator]: () => stream };
  const content = chunks(next?.chunk ?? new Uint8Array(), rest);
  return storeHotLayer(sys, { layer, sizeBytes, sha256, content }, folder);
}

/** A hot layer on its way to the disk. */
export interface IncomingHotLayer {
  readonly layer: HotLayer;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** In pieces of at most CHUNK_LIMIT_BYTES. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** storeHotLayer stores an image, whole or not at all. @throws hot-layer/invalid, hot-layer/space, and what `content` throws */
export async function storeHotLayer(
  sys: Pick<Sys, 'usage'>,
  { layer, sizeBytes, sha256, content }: IncomingHotLayer,
  folder: string = IMAGES,
): Promise<StoredLayer> {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid('no SHA-256, expected 64 hexadecimal digits');
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes > HOT_LAYER_LIMIT_BYTES)
    throw invalid(`its size is ${sizeBytes} bytes, expected 1 to ${HOT_LAYER_LIMIT_BYTES}`);
  const upload = { folder, name: imageName(sha256), sizeBytes, sha256, reserveBytes: RESERVE_BYTES };
  await storeUpload(sys, upload, content, {
    invalid,
    space: (availableBytes, neededBytes) =>
      new PlinthError(
        'hot-layer/space',
        `Cannot store the hot layer: ${availableBytes} bytes of /var are free, expected ${neededBytes}`,
      ),
  });
  return storedLayer(layer, sha256, sizeBytes);
}

/** The description comes in pieces of its own, before the image; `next` is the first piece of that. */
async function readManifest(
  first: StageHotLayerRequest,
  stream: AsyncIterator<StageHotLayerRequest>,
): Promise<{ manifest: string; next: StageHotLayerRequest | undefined }> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  let message: StageHotLayerRequest | undefined = first;
  while (message && message.manifest.length > 0 && message.chunk.length === 0) {
    sizeBytes += message.manifest.length;
    if (sizeBytes > MANIFEST_LIMIT_BYTES)
      throw invalid(`its manifest has more than ${MANIFEST_LIMIT_BYTES} bytes`);
    pieces.push(message.manifest);
    const next: IteratorResult<StageHotLayerRequest> = await stream.next();
    message = next.done ? undefined : next.value;
  }
  return { manifest: Buffer.concat(pieces).toString('utf8'), next: message };
}

async function* chunks(
  first: Uint8Array,
  rest: AsyncIterable<StageHotLayerRequest>,
): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for await (const { chunk } of rest) yield chunk;
}

function invalid(problem: string): PlinthError {
  return new PlinthError('hot-layer/invalid', `Cannot store the hot layer: ${problem}`);
}
