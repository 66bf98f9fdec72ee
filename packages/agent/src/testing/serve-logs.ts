import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { openEventBus } from '../events/event-bus.ts';
import { openIdentity } from '../identity/open-identity.ts';
import { logsService } from '../logs/logs-service.ts';
import { serve } from '../server/serve.ts';
import { memoryStore } from '../sys/state-store.ts';
import { streamProgram } from '../sys/stream-program.ts';

/**
 * A program for startLogsServer: plinthd's server with LogsService alone, over a journalctl and a journal that are not the
 * machine's. Where they are comes on the standard input; the port and the fingerprint go to the standard output.
 */
const order = z.object({
  program: z.string(),
  /** Arguments before and after those that plinthd gives journalctl. */
  before: z.array(z.string()),
  after: z.array(z.string()),
  authorityPem: z.string(),
});

async function main(): Promise<void> {
  const { program, before, after, authorityPem } = order.parse(JSON.parse(await text(process.stdin)));
  const identity = await openIdentity(memoryStore('a bench'), 'bench');
  const listener = await serve({
    ...{ port: 0, bindAddress: '127.0.0.1', nowMs: Date.now, audit: () => {} },
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: [authorityPem],
    routes: logsService({
      sys: { stream: (_, args, signal) => streamProgram(program, [...before, ...args, ...after], signal) },
      events: openEventBus(Date.now),
    }),
  });
  process.stdout.write(`${JSON.stringify({ port: listener.port, fingerprint: identity.fingerprint })}\n`);
}

void main();
