import { basename } from 'node:path';
import { PlinthError } from '@plinth/base';
import { storeUpload } from '../../sys/store-upload.ts';
import type { Sys } from '../../sys/sys.ts';
import { parseKubernetesVersion } from '../kubernetes-version.ts';
import { STAGED_LAYERS } from '../paths.ts';
import { stagedPath } from './layer-store.ts';

/** What a client says about the layer it sends. */
export interface AnnouncedLayer {
  readonly version: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A layer is near 100 MiB; a bound keeps a mistake from filling /var. */
const SIZE_LIMIT_BYTES = 1024 * 1024 * 1024;
/** What must stay free on /var beside the layer. */
const RESERVE_BYTES = 256 * 1024 * 1024;

/**
 * stageLayer stores a layer: it appears whole and checked, or not at all.
 * @throws kubernetes/layer-invalid, kubernetes/space
 */
export async function stageLayer(
  sys: Pick<Sys, 'usage'>,
  announced: AnnouncedLayer,
  chunks: AsyncIterable<Uint8Array>,
  folder: string = STAGED_LAYERS,
): Promise<void> {
  checkAnnounced(announced);
  const { version, sizeBytes, sha256 } = announced;
  const name = basename(stagedPath(version, folder));
  await storeUpload(sys, { folder, name, sizeBytes, sha256, reserveBytes: RESERVE_BYTES }, chunks, {
    invalid: (problem) => invalid(version, problem),
    space: (availableBytes, neededBytes) =>
      new PlinthError(
        'kubernetes/space',
        `Cannot store the layer ${version}: ${availableBytes} bytes of /var are free, expected ${neededBytes}`,
      ),
  });
}

function checkAnnounced({ version, sizeBytes, sha256 }: AnnouncedLayer): void {
  if (!parseKubernetesVersion(version)) throw invalid(version, 'no version, expected one such as 1.37.1');
  if (!/^[0-9a-f]{64}$/i.test(sha256)) throw invalid(version, 'no SHA-256, expected 64 hexadecimal digits');
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes > SIZE_LIMIT_BYTES)
    throw invalid(version, `its size is ${sizeBytes} bytes, expected 1 to ${SIZE_LIMIT_BYTES}`);
}

function invalid(version: string, problem: string): PlinthError {
  return new PlinthError(
    'kubernetes/layer-invalid',
    `Cannot store the layer ${JSON.stringify(version.slice(0, 40))}: ${problem}`,
  );
}
