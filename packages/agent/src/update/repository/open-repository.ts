import { PlinthError } from '@plinth/base';
import {
  type Channel,
  channelFile,
  channelTarget,
  type Manifest,
  parseChannel,
  parseManifest,
  REPOSITORY,
  REPOSITORY_LIMITS,
  TRUSTED_ROOT_PATH,
} from '@plinth/updates';
import type { FindTarget, TrustedTarget } from '@plinth/updates/tuf';
import type { StateStore } from '../../sys/state-store.ts';
import { isMissing, type Sys } from '../../sys/sys.ts';
import type { Fetcher } from '../fetch/fetcher.ts';

/** A repository as its signed metadata of one moment tell. */
export interface ReleaseRepository {
  /** @throws update/target-missing, update/channel-invalid, and what fetching throws */
  channel(name: string): Promise<Channel>;
  /** @throws update/target-missing, release/manifest-invalid, and what fetching throws */
  manifest(name: string): Promise<Manifest>;
  /** @throws update/target-missing */
  target(name: string): TrustedTarget;
  /** The clock is before the time at which this image was built; that time was used. */
  readonly clockBehind: boolean;
}

export interface RepositoryParts {
  readonly sys: Pick<Sys, 'readFile' | 'modifiedAtMs' | 'nowMs'>;
  readonly fetcher: Fetcher;
  readonly store: StateStore;
  /** Default: that of the image. */
  readonly trustedRootPath?: string;
  readonly signal: AbortSignal;
}

/**
 * openRepository brings signed metadata up to date, at the first address that has ones which pass, and answers from them.
 * The time is the node's clock, but never before the image was built: files of a verified image carry the time of its build. A clock
 * that stands years back cannot make expired metadata valid; one that is ahead makes all expire, and the error tells the time.
 * @throws update/no-trusted-root, update/unreachable, update/stalled, update/too-large, update/metadata-*
 */
export async function openRepository(parts: RepositoryParts): Promise<ReleaseRepository> {
  const { sys, fetcher, store, signal, trustedRootPath = TRUSTED_ROOT_PATH } = parts;
  const trustedRoot = await readTrustedRoot(sys, trustedRootPath);
  const builtAtMs = await sys.modifiedAtMs(trustedRootPath);
  const atMs = Math.max(sys.nowMs(), builtAtMs);
  // Loaded when it is needed: a node asks for updates a few times a day, if at all.
  const { refreshAt } = await import('@plinth/updates/tuf');
  const find: FindTarget = await fetcher.mirrors.attempt(
    'the metadata of the repository',
    (base) => refreshAt({ fetcher, store, trustedRoot, trustedRootFile: trustedRootPath, atMs }, base),
    signal,
  );
  const target = (name: string): TrustedTarget => {
    const found = find(name);
    if (found) return found;
    throw new PlinthError(
      'update/target-missing',
      `Cannot fetch ${name}: the repository does not list it, expected it to`,
    );
  };
  const text = async (name: string, file: string, limitBytes: number) => {
    const expected = target(name);
    if (expected.sizeBytes > limitBytes) {
      const state = `${expected.sizeBytes} bytes by its metadata, expected at most ${limitBytes}`;
      throw new PlinthError('update/too-large', `Cannot fetch ${name}: ${state}`);
    }
    const path = `${REPOSITORY.targets}/${file}`;
    return (await fetcher.file({ path, limitBytes, expected })).toString('utf8');
  };
  return {
    async channel(name) {
      const { sha256 } = target(channelTarget(name));
      const content = await text(
        channelTarget(name),
        channelFile(name, sha256),
        REPOSITORY_LIMITS.channelBytes,
      );
      return parseChannel(content, channelTarget(name));
    },
    manifest: async (name) => parseManifest(await text(name, name, REPOSITORY_LIMITS.manifestBytes), name),
    target,
    clockBehind: sys.nowMs() < builtAtMs,
  };
}

async function readTrustedRoot(sys: Pick<Sys, 'readFile'>, path: string): Promise<Uint8Array> {
  try {
    return await sys.readFile(path, REPOSITORY_LIMITS.metadataBytes);
  } catch (reason) {
    const state = isMissing(reason) ? 'the image has none' : 'it cannot be read';
    throw new PlinthError(
      'update/no-trusted-root',
      `Cannot use ${path}: ${state}, expected the root of trust for updates`,
      {
        cause: reason,
      },
    );
  }
}
