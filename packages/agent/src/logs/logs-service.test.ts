import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connectNode, type NodeClient } from '@plinth/api';
import { atRest, eventually } from '@plinth/host/testing';
import { openEventBus } from '../events/event-bus.ts';
import { openIdentity } from '../identity/open-identity.ts';
import { type Listener, serve } from '../server/serve.ts';
import { memoryStore } from '../sys/state-store.ts';
import { streamProgram } from '../sys/stream-program.ts';
import { makeAuthority } from '../testing/authority.ts';
import { logsService } from './logs-service.ts';

// Over the real server and client: a program without an end as the journal, read by slow, rude and honest clients.

/** Prints entries for ever, as fast as they are read, and says on its standard error how many it has printed. */
const ENDLESS = `
let n = 0;
const more = () => {
  for (;;) {
    const entry = '__REALTIME_TIMESTAMP=' + ++n + '000000\\nMESSAGE=' + 'x'.repeat(1000) + '\\n\\n';
    if (!process.stdout.write(entry)) { process.stdout.once('drain', more); return; }
  }
};
more();`;

suite('logs over the API', () => {
  const authority = makeAuthority();
  const events = openEventBus(Date.now);
  const running = new Set<number>();
  let pieces = 0;
  let listener: Listener;
  let fingerprint = '';

  before(async () => {
    const identity = await openIdentity(memoryStore('a test'), 'node-1');
    ({ fingerprint } = identity);
    let next = 0;
    const sys = {
      async *stream(_program: string, _args: readonly string[], signal: AbortSignal) {
        const id = next++;
        running.add(id);
        try {
          for await (const piece of streamProgram(process.execPath, ['-e', ENDLESS], signal)) {
            pieces += piece.length;
            yield piece;
          }
        } finally {
          running.delete(id);
        }
      },
    };
    listener = await serve({
      ...{ port: 0, bindAddress: '127.0.0.1', nowMs: Date.now, audit: () => {} },
      certificatePem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
      clientAuthoritiesPem: [authority.certificatePem],
      routes: logsService({ sys, events, podLogs: '/nowhere' }),
    });
  });
  after(async () => {
    await listener.close();
    authority[Symbol.dispose]();
  });

  function connect(): NodeClient {
    const { certificatePem, keyPem } = authority.issue();
    return connectNode({
      ...{ address: '127.0.0.1', port: listener.port, fingerprint, timeoutMs: 20_000 },
      ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
    });
  }

  const untilNoneRuns = () => eventually(() => assert.equal(running.size, 0, 'programs still run'));

  test('a reader that stops ends the program', async () => {
    using node = connect();
    for await (const entries of node.logs.read({ follow: true })) {
      assert.equal(entries[0]?.message.length, 1000);
      break;
    }
    await untilNoneRuns();
  });

  test('a client that vanishes ends the program', async () => {
    const node = connect();
    const reading = (async () => {
      for await (const _entries of node.logs.read({})) node.close();
    })();
    await assert.rejects(reading);
    await untilNoneRuns();
  });

  test('a reader that is slow holds the program, and plinthd holds little', async () => {
    using node = connect();
    const stream = node.logs.read({});
    const atFirst = pieces;
    await stream.next();
    // It fills what lies between: pipes, the connection's windows, the client. Then nothing moves any more.
    const before = await atRest(() => pieces);
    assert.ok(before - atFirst < 8 * 1024 * 1024, `${before - atFirst} bytes are under way`);
    // And goes on where it stopped, without a gap.
    let last = 0n;
    for (let count = 0; count < 200; count++) {
      const { value } = await stream.next();
      for (const { time } of value ?? []) {
        assert.ok(last === 0n || time?.seconds === last + 1n);
        last = time?.seconds ?? 0n;
      }
    }
    assert.ok(pieces > before);
    await stream.return(undefined);
    await untilNoneRuns();
  });

  test('refusals have the status and the words of the node', async () => {
    using node = connect();
    const read = async (request: Parameters<NodeClient['logs']['read']>[0]) => {
      for await (const _entries of node.logs.read(request)) break;
    };
    await assert.rejects(read({ priority: 9 }), { code: 'logs/request-invalid', exitCode: 2 });
    const value = { namespace: 'a', pod: 'b' };
    await assert.rejects(read({ source: { case: 'container', value } }), { code: 'logs/container-missing' });
  });

  test('events come as they happen', async () => {
    using node = connect();
    events.publish({ topic: 'act', subject: 'upgrade', state: 'running', text: 'Step 1' });
    const stream = node.logs.events();
    const first = await stream.next();
    assert.deepEqual([first.value?.event?.subject, first.value?.missed], ['upgrade', 0n]);
    setTimeout(() => events.publish({ topic: 'act', subject: 'upgrade', state: 'done' }), 20);
    const second = await stream.next();
    assert.deepEqual([second.value?.event?.state, second.value?.event?.sequence], ['done', 2n]);
    await stream.return(undefined);
  });
});
