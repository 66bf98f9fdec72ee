import { once } from 'node:events';
import { serveAdvisories } from '@plinth/advisory';
import type { CommandContext } from '../framework/context.ts';

/**
 * serveUntilInterrupted serves a tree of advisories and writes a line for each request, as JSON with -o json, until Ctrl-C.
 * @throws advisory/cannot-serve, host/io
 */
export async function serveUntilInterrupted(
  treeDir: string,
  { address, port }: { readonly address: string; readonly port: number | undefined },
  context: CommandContext,
): Promise<void> {
  const { signal, writeOut, format, say } = context;
  const server = await serveAdvisories({
    treeDir,
    host: address,
    ...(port !== undefined && { port }),
    onAnswered: (answered) => {
      if (format === 'json') writeOut(`${JSON.stringify(answered)}\n`);
      else if ('problem' in answered) writeOut(`broken off: ${answered.problem}\n`);
      else writeOut(`${answered.status} ${answered.method} ${answered.path} ${answered.sentBytes}\n`);
    },
  });
  try {
    say(`Serving ${treeDir} at ${server.url} until Ctrl-C.`);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await server.close();
  }
}
