import { CHUNK_LIMIT_BYTES } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import {
  HOT_LAYER_LIMIT_BYTES,
  hotLayerNames,
  hotLayerVersion,
  MANIFEST_LIMIT_BYTES,
  parseHotLayer,
  REPOSITORY,
  SERIAL_LIMIT,
} from '@plinth/updates';
import type { TrustedTarget } from '@plinth/updates/tuf';
import type { Fetcher } from '../update/fetch/fetcher.ts';
import type { ReleaseRepository } from '../update/repository/open-repository.ts';
import { type AskParts, askRepository, openSource } from '../update/stage/ask-repository.ts';
import type { UpdateSource } from '../update/types.ts';
import type { IncomingHotLayer } from './receive-hot-layer.ts';

/** Fetched and held at once; the file is judged as a whole. */
const SLICE_BYTES = 4 * 1024 * 1024;
const BLOCK_BYTES = 4096;

/** A layer that is being fetched; `close` hangs up. */
export interface FetchedHotLayer {
  readonly incoming: IncomingHotLayer;
  close(): void;
}

/**
 * fetchNewest finds the layer of the highest serial that the repository's signed metadata list for a version and the channel
 * does not block, reads its manifest, and gives its image as it comes.
 * @throws hot-layer/none-published, hot-layer/invalid, update/…
 */
export async function fetchNewest(
  parts: AskParts & { readonly source: UpdateSource; readonly signal: AbortSignal },
  version: string,
): Promise<FetchedHotLayer> {
  const { source, signal } = parts;
  const fetcher = await openSource(parts, source, undefined, signal);
  try {
    const { repository, channel } = await askRepository(parts, fetcher, source.channel, signal);
    const blocked = new Set(channel.blocked.map((rule) => rule.version));
    const found = findNewest(repository, version, blocked);
    if (!found)
      throw new PlinthError(
        'hot-layer/none-published',
        `Cannot fetch a hot layer: the repository has none for ${version}, expected one`,
      );
    const { manifest, image } = found;
    const path = `${REPOSITORY.targets}/${manifest.name}`;
    const bytes = await fetcher.file({ path, limitBytes: MANIFEST_LIMIT_BYTES, expected: manifest });
    const layer = parseHotLayer(bytes.toString('utf8'), manifest.name);
    if (hotLayerNames(layer).image !== image.name)
      throw new PlinthError(
        'hot-layer/invalid',
        `Cannot use ${manifest.name}: it is the manifest of ${hotLayerVersion(layer)}, expected that of its name`,
      );
    const { sizeBytes, sha256 } = image;
    return {
      incoming: { layer, sizeBytes, sha256, content: fetchImage(fetcher, image) },
      close: fetcher.close,
    };
  } catch (reason) {
    fetcher.close();
    throw reason;
  }
}

/** findNewest asks the metadata for names, from the highest serial down: there is no list of layers to believe beside it. Pure. */
export function findNewest(
  repository: Pick<ReleaseRepository, 'target'>,
  version: string,
  blocked: ReadonlySet<string>,
): { readonly manifest: TrustedTarget; readonly image: TrustedTarget } | undefined {
  for (let serial = SERIAL_LIMIT; serial > 0; serial--) {
    const layer = { serial, base: { name: 'plinth', version, rootHash: '' } };
    if (blocked.has(hotLayerVersion(layer))) continue;
    const names = hotLayerNames(layer);
    const manifest = targetOf(repository, names.manifest);
    const image = manifest && targetOf(repository, names.image);
    if (image && image.sizeBytes <= HOT_LAYER_LIMIT_BYTES) return { manifest, image };
  }
  return undefined;
}

function targetOf(repository: Pick<ReleaseRepository, 'target'>, name: string): TrustedTarget | undefined {
  try {
    return repository.target(name);
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'update/target-missing') return undefined;
    throw reason;
  }
}

async function* fetchImage(
  fetcher: Pick<Fetcher, 'ranges'>,
  { name, sizeBytes }: TrustedTarget,
): AsyncGenerator<Uint8Array> {
  const slice = Buffer.alloc(Math.min(SLICE_BYTES, sizeBytes));
  for (let offset = 0; offset < sizeBytes; offset += SLICE_BYTES) {
    const length = Math.min(SLICE_BYTES, sizeBytes - offset);
    await fetcher.ranges({
      path: `${REPOSITORY.targets}/${name}`,
      ...{ fileBytes: sizeBytes, blockBytes: BLOCK_BYTES, ranges: [{ offset, sizeBytes: length }] },
      accept: async (at, bytes) => {
        bytes.copy(slice, at - offset);
        return bytes.length;
      },
    });
    for (let at = 0; at < length; at += CHUNK_LIMIT_BYTES)
      yield Buffer.from(slice.subarray(at, Math.min(at + CHUNK_LIMIT_BYTES, length)));
  }
}
