import { createHash } from 'node:crypto';
import { constants, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_LIMIT_BYTES } from '@plinth/api';
import { PlinthError } from '@plinth/base';
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
/** Each write waits for the disk, so pieces are gathered. */
const WRITE_BYTES = 2 * 1024 * 1024;

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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await dropLeftovers(folder);
  const { availableBytes } = await sys.usage(folder);
  if (availableBytes < sizeBytes + RESERVE_BYTES)
    throw new PlinthError(
      'kubernetes/space',
      `Cannot store the layer ${version}: ${availableBytes} bytes of /var are free, expected ${sizeBytes + RESERVE_BYTES}`,
    );
  const target = stagedPath(version, folder);
  const temporary = join(folder, `.kubernetes-${version}.tmp`);
  try {
    const seen = await writeChunks(temporary, sizeBytes, chunks);
    if (seen.sizeBytes !== sizeBytes)
      throw invalid(version, `${seen.sizeBytes} bytes came, expected ${sizeBytes}`);
    if (seen.sha256 !== sha256.toLowerCase())
      throw invalid(version, `its SHA-256 is ${seen.sha256}, expected ${sha256.toLowerCase()}`);
    await rename(temporary, target);
  } catch (reason) {
    await rm(temporary, { force: true });
    throw reason;
  }
}

function checkAnnounced({ version, sizeBytes, sha256 }: AnnouncedLayer): void {
  if (!parseKubernetesVersion(version)) throw invalid(version, 'no version, expected one such as 1.37.1');
  if (!/^[0-9a-f]{64}$/i.test(sha256)) throw invalid(version, 'no SHA-256, expected 64 hexadecimal digits');
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes > SIZE_LIMIT_BYTES)
    throw invalid(version, `its size is ${sizeBytes} bytes, expected 1 to ${SIZE_LIMIT_BYTES}`);
}

/** Written with O_SYNC: the permission model of the runtime takes fsync away. */
async function writeChunks(
  path: string,
  limitBytes: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ sizeBytes: number; sha256: string }> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC, 0o600);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const write = async () => {
    await file.writeFile(Buffer.concat(gathered));
    gathered = [];
    gatheredBytes = 0;
  };
  try {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (chunk.length > CHUNK_LIMIT_BYTES || sizeBytes > limitBytes) break;
      hash.update(chunk);
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      if (gatheredBytes >= WRITE_BYTES) await write();
    }
    await write();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** What a stream that broke off with plinthd has left. */
async function dropLeftovers(folder: string): Promise<void> {
  const leftovers = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
  for (const name of leftovers) await rm(join(folder, name), { force: true });
}

function invalid(version: string, problem: string): PlinthError {
  return new PlinthError(
    'kubernetes/layer-invalid',
    `Cannot store the layer ${JSON.stringify(version.slice(0, 40))}: ${problem}`,
  );
}
