import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, type RunningServer, type ServeOptions } from '@plinth/host';
import { serveRepository } from '@plinth/publish';
import { REPOSITORY } from '@plinth/updates';

/**
 * serveReleases serves a folder that is a release repository, and no other.
 * @throws publish/repository-invalid when it is none, host/cannot-serve
 */
export async function serveReleases(repoDir: string, options: ServeOptions): Promise<RunningServer> {
  if (await exists(join(repoDir, REPOSITORY.metadata))) return serveRepository({ repoDir, ...options });
  throw new PlinthError(
    'publish/repository-invalid',
    `Cannot serve ${repoDir}: it has no folder "${REPOSITORY.metadata}", expected a release repository`,
  );
}
