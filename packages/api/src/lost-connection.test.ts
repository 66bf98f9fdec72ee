import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { connectNode, type NodeClient } from './index.ts';
import { FakeNode, fakeWorld, type ServedNode, serveFakeNode } from './testing/index.ts';

const LOST = { code: 'api/unreachable', retryable: true };
const CLOSED = { code: 'api/failed', retryable: false };

for (const way of ['over TCP', 'through a tunnel'] as const)
  suite(`a connection that goes away in the middle of a call, ${way}`, () => {
    const node = new FakeNode('a', fakeWorld());
    const sockets = new Set<Socket>();
    let served: ServedNode;
    let between: Server;
    let client: NodeClient;

    before(async () => {
      node.database = new Uint8Array(6_000_000);
      node.logs.logs.watchEvents = async function* () {
        yield {};
        await new Promise(() => {});
      };
      served = await serveFakeNode(node);
      between = createServer((near) => {
        const far = connect(served.port, '127.0.0.1');
        for (const socket of [near, far]) {
          sockets.add(socket);
          socket.on('error', () => {});
        }
        near.pipe(far).pipe(near);
      });
      between.listen(0, '127.0.0.1');
      await once(between, 'listening');
      const address = between.address();
      assert.ok(address !== null && typeof address === 'object');
      client = connectNode({
        ...{ address: '127.0.0.1', port: address.port, fingerprint: served.fingerprint, timeoutMs: 60_000 },
        ...{ clientCertificatePem: served.certificatePem, clientKeyPem: served.keyPem },
        ...(way !== 'over TCP' && { openBytes: async () => connect(address.port, '127.0.0.1') }),
      });
    });
    after(async () => {
      client.close();
      lose();
      between.close();
      await served[Symbol.asyncDispose]();
    });

    function lose(): void {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    }

    /** Each begins a call, lets `happen` happen while it runs, and goes on to its end. */
    const calls: Record<string, (happen: () => void) => Promise<unknown>> = {
      async unary(happen) {
        node.before = async () => happen();
        await client.getIdentity().finally(() => {
          node.before = async () => {};
        });
      },
      async stream(happen) {
        for await (const _event of client.logs.events()) happen();
      },
      async download(happen) {
        // Without a bound of time: the fake would keep it, and this process with it, after its client is gone.
        for await (const _chunk of client.etcd.snapshot(0)) happen();
      },
      async upload(happen) {
        const content = (async function* () {
          for (let piece = 0; piece < 20; piece++) {
            yield new Uint8Array(100_000);
            if (piece === 10) happen();
          }
        })();
        await client.etcd.restore('a', { sizeBytes: 2_000_000, content }, 60_000);
      },
      async tunnel(happen) {
        const tunnel = await client.tunnel.open('a', 60_000);
        const ended = once(tunnel, 'end');
        tunnel.resume();
        happen();
        await ended;
      },
    };

    for (const [name, call] of Object.entries(calls)) {
      test(`${name}: the node may be there again, as after a reboot`, async () => {
        await assert.rejects(call(lose), LOST);
        assert.equal((await client.getIdentity()).nodeName, 'a');
      });
      test(`${name}: who hangs up himself is not told to try again`, async () => {
        await assert.rejects(
          call(() => client.close()),
          CLOSED,
        );
        assert.equal((await client.getIdentity()).nodeName, 'a');
      });
    }
  });
