import { once } from 'node:events';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists } from '@plinth/host';
import { serveRepository } from '@plinth/publish';
import { REPOSITORY } from '@plinth/updates';
import type { CommandContext } from '../framework/context.ts';

/**
 * serveUntilInterrupted serves a repository and writes a line for each request, as JSON with -o json, until Ctrl-C.
 * @throws publish/repository-invalid when there is none, publish/cannot-serve
 */
export async function serveUntilInterrupted(
  repoDir: string,
  { address, port }: { readonly address: string; readonly port: number | undefined },
  context: CommandContext,
): Promise<void> {
  const { signal, writeOut, format, say } = context;
  if (!(await exists(join(repoDir, REPOSITORY.metadata)))) {
    throw new PlinthError(
      'publish/repository-invalid',
      `Cannot serve ${repoDir}: it has no folder "${REPOSITORY.metadata}", expected a release repository`,
    );
  }
  const server = await serveRepository({
    repoDir,
    host: address,
    ...(port !== undefined && { port }),
    onAnswered: (answered) => {
      if (format === 'json') writeOut(`${JSON.stringify(answered)}\n`);
      else if ('problem' in answered) writeOut(`broken off: ${answered.problem}\n`);
      else writeOut(`${answered.status} ${answered.method} ${answered.path} ${answered.sentBytes}\n`);
    },
  });
  try {
    say(`Serving ${repoDir} at ${server.url} until Ctrl-C.`);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await server.close();
  }
}
