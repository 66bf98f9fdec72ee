import { type RunningServer, type ServeOptions, serveHttp } from '@plinth/host';
import { answer } from './answer.ts';

/**
 * serveRepository serves a repository over plain HTTP, for a laptop: what it sends is signed, so the transport need not be. Any
 * web server that knows ranges does the same.
 * @throws host/cannot-serve when the address cannot be listened at
 */
export function serveRepository({
  repoDir,
  ...options
}: ServeOptions & { readonly repoDir: string }): Promise<RunningServer> {
  return serveHttp(options, (request, response) => answer(repoDir, request, response));
}
