import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type GetHotLayerResponse,
  type HotLayer,
  HotLayerService,
  type StageHotLayerRequestSchema,
} from './gen/plinth/node/v1/hot_layer_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { requirePart } from './rpc-error.ts';
import { CHUNK_LIMIT_BYTES, cutIntoChunks, type Transfer } from './transfer.ts';

/** A hot layer on its way to a node. */
export interface HotLayerUpload extends Transfer {
  /** The bytes of its manifest. */
  readonly manifest: Uint8Array;
  /** SHA-256 of the image, hexadecimal. */
  readonly sha256: string;
  /** Bound on the whole upload. */
  readonly timeoutMs: number;
}

/**
 * Fixes of the running system. Activate and retire return when the node has accepted them; `get` tells how far they are. A
 * refusal is a PlinthError with the code, message and hint of the node.
 */
export interface HotLayerCalls {
  get(): Promise<GetHotLayerResponse>;
  stage(upload: HotLayerUpload): Promise<HotLayer>;
  /** Has the node fetch the newest one from its repository. @param timeoutMs bound on the whole fetch */
  fetch(timeoutMs: number): Promise<HotLayer>;
  activate(serial: number): Promise<void>;
  retire(serial: number): Promise<void>;
}

/** hotLayerCalls are the calls of HotLayerService over a transport. */
export function hotLayerCalls(transport: Transport, answer: Answer): HotLayerCalls {
  const client = createClient(HotLayerService, transport);
  return {
    get: () => answer('GetHotLayer', client.getHotLayer({})),
    stage: async (upload) => {
      const { timeoutMs } = upload;
      const { layer } = await answer('StageHotLayer', client.stageHotLayer(messages(upload), { timeoutMs }));
      return requirePart(layer, 'StageHotLayer', 'layer');
    },
    fetch: async (timeoutMs) => {
      const { layer } = await answer('FetchHotLayer', client.fetchHotLayer({}, { timeoutMs }));
      return requirePart(layer, 'FetchHotLayer', 'layer');
    },
    activate: async (serial) => {
      await answer('ActivateHotLayer', client.activateHotLayer({ serial }));
    },
    retire: async (serial) => {
      await answer('RetireHotLayer', client.retireHotLayer({ serial }));
    },
  };
}

async function* messages(
  upload: HotLayerUpload,
): AsyncGenerator<MessageInitShape<typeof StageHotLayerRequestSchema>> {
  const { manifest, sha256 } = upload;
  // The description goes alone, so that a node refuses what it does not want before the first byte of it.
  for (let at = 0; at < manifest.length || at === 0; at += CHUNK_LIMIT_BYTES) {
    const piece = manifest.subarray(at, at + CHUNK_LIMIT_BYTES);
    yield at === 0 ? { manifest: piece, sizeBytes: BigInt(upload.sizeBytes), sha256 } : { manifest: piece };
  }
  for await (const chunk of cutIntoChunks(upload)) yield { chunk };
}
