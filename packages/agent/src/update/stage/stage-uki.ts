import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { stagedEntryName } from '@plinth/updates';
import { hasCode } from '../../sys/sys.ts';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { Esp } from './esp.ts';
import { fetchUki, guessUki } from './fetch-uki.ts';
import type { ProgressMeter } from './progress.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';

/** No boot loader reads it, and nothing takes it for staged. */
const TEMPORARY = 'plinth-staging.tmp';
const PIECE_BYTES = 1024 * 1024;
/** For the folder's own blocks, and so that a FAT is never filled to its end. */
const ROOM_BYTES = 1024 * 1024;

export interface StageUkiParts {
  readonly esp: Esp;
  readonly fetcher: Fetcher;
  readonly release: ReleaseFiles;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal;
}

/**
 * stageUki puts the UKI of a release onto the ESP, reads it back from the medium, and only then gives it its name.
 * @throws update/esp-full, update/disk-failed, and what fetching throws
 */
export async function stageUki({ esp, fetcher, release, meter, signal }: StageUkiParts): Promise<void> {
  const { uki, version } = release;
  try {
    await esp.remove(TEMPORARY);
    const available = await esp.availableBytes();
    if (available < uki.sizeBytes + ROOM_BYTES)
      throw full(version, `${available} bytes are free`, `${uki.sizeBytes + ROOM_BYTES}`);
    meter.phase('finish', uki.sizeBytes);
    if (!(await guessUki({ esp, fetcher, uki, meter, file: TEMPORARY, signal }))) {
      meter.phase('finish', uki.sizeBytes);
      await fetchUki({ esp, fetcher, uki, meter, file: TEMPORARY, signal });
    }
    await requireSame(esp, uki, version, signal);
    await esp.rename(TEMPORARY, stagedEntryName(version));
  } catch (reason) {
    await esp.remove(TEMPORARY).catch(() => {});
    if (signal.aborted) throw reason;
    if (hasCode(reason, 'ENOSPC')) throw full(version, 'its file system is full', `${uki.sizeBytes} bytes`);
    throw PlinthError.from(reason, 'update/disk-failed', `Cannot put ${version} onto the ESP`);
  }
}

async function requireSame(esp: Esp, uki: ReleaseFile, version: string, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (; sizeBytes < uki.sizeBytes; ) {
    signal.throwIfAborted();
    const bytes = await esp.read(TEMPORARY, sizeBytes, PIECE_BYTES);
    if (bytes.length === 0) break;
    hash.update(bytes);
    sizeBytes += bytes.length;
  }
  if (sizeBytes === uki.sizeBytes && hash.digest('hex') === uki.sha256) return;
  const state = 'it is not what was written';
  throw new PlinthError(
    'update/disk-failed',
    `Cannot read back the UKI of ${version}: ${state}, expected it to be`,
  );
}

function full(version: string, state: string, expected: string): PlinthError {
  return new PlinthError(
    'update/esp-full',
    `Cannot put ${version} onto the ESP: ${state}, expected ${expected}`,
  );
}
