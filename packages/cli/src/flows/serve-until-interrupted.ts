import { once } from 'node:events';
import type { RunningServer, ServeOptions } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';

/**
 * serveUntilInterrupted serves a folder and writes a line for each request, as JSON with -o json, until Ctrl-C.
 * @param serve starts the server for what the folder holds
 * @throws what `serve` throws
 */
export async function serveUntilInterrupted(
  folder: string,
  { address, port }: { readonly address: string; readonly port: number | undefined },
  { signal, writeOut, format, say }: CommandContext,
  serve: (options: ServeOptions) => Promise<RunningServer>,
): Promise<void> {
  await using server = await serve({
    host: address,
    ...(port !== undefined && { port }),
    onAnswered: (answered) => {
      if (format === 'json') writeOut(`${JSON.stringify(answered)}\n`);
      else if ('problem' in answered) writeOut(`broken off: ${answered.problem}\n`);
      else writeOut(`${answered.status} ${answered.method} ${answered.path} ${answered.sentBytes}\n`);
    },
  });
  say(`Serving ${folder} at ${server.url} until Ctrl-C.`);
  if (!signal.aborted) await once(signal, 'abort');
}
