import type { StageLayerRequest } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { STAGED_LAYERS } from '../paths.ts';
import type { NodeParts } from '../plans/node-parts.ts';
import type { Layer } from './layer-store.ts';
import { stageLayer } from './stage-layer.ts';

/** receiveLayer gives the function that takes a stream of StageLayer, one at a time. */
export function receiveLayer(
  node: Pick<NodeParts, 'sys' | 'layers'>,
  folder: string = STAGED_LAYERS,
): (messages: AsyncIterable<StageLayerRequest>) => Promise<Layer> {
  let receiving = false;
  return async (messages) => {
    if (receiving)
      throw new PlinthError('kubernetes/busy', 'Cannot store the layer: another one arrives, expected none', {
        retryable: true,
      });
    receiving = true;
    try {
      const stream = messages[Symbol.asyncIterator]();
      const first = await stream.next();
      if (first.done)
        throw new PlinthError(
          'kubernetes/layer-invalid',
          'Cannot store the layer: an empty stream, expected a layer',
        );
      const { version, sizeBytes, sha256, chunk } = first.value;
      const active = (await node.layers()).find(
        (layer) => layer.version === version && layer.source === 'staged',
      );
      // The file of the layer that runs is mapped by the kernel; it stays as it is.
      if (active?.active) return active;
      const rest = { [Symbol.asyncIterator]: () => stream };
      await stageLayer(
        node.sys,
        { version, sizeBytes: Number(sizeBytes), sha256 },
        chunks(chunk, rest),
        folder,
      );
      const stored = (await node.layers()).find(
        (layer) => layer.version === version && layer.source === 'staged',
      );
      if (stored) return stored;
      throw new PlinthError(
        'kubernetes/layer-invalid',
        `Cannot find the layer ${version} after it was stored`,
      );
    } finally {
      receiving = false;
    }
  };
}

async function* chunks(
  first: Uint8Array,
  rest: AsyncIterable<StageLayerRequest>,
): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for await (const { chunk } of rest) yield chunk;
}
