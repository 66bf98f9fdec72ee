import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { CHUNK_LIMIT_BYTES } from '@plinth/api';
import type { Sys } from '../../sys/sys.ts';
import { STAGED_LAYERS } from '../paths.ts';
import type { Layer } from './layer-store.ts';
import { stagedPath } from './layer-store.ts';
import { stageLayer } from './stage-layer.ts';

/**
 * copyLayer gives a layer as a file: that of a drive is copied to where staged layers lie, whole or not at all; one that is
 * a file is given as it is. Nothing is trusted by it: the kernel checks every block against the signed hash when it is
 * read. @throws kubernetes/layer-invalid, kubernetes/space, and system errors of the drive
 */
export async function copyLayer(
  sys: Pick<Sys, 'usage'>,
  layer: Layer,
  folder: string = STAGED_LAYERS,
): Promise<Layer> {
  if (layer.source === 'staged') return layer;
  const read = () => createReadStream(layer.path, { highWaterMark: CHUNK_LIMIT_BYTES });
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of read() as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  await stageLayer(sys, { version: layer.version, sizeBytes, sha256: hash.digest('hex') }, read(), folder);
  return { ...layer, source: 'staged', path: stagedPath(layer.version, folder), sizeBytes };
}
