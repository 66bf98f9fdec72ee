import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { connectNode, type NodeClient } from './index.ts';
import { FakeNode, fakeWorld, type ServedNode, serveFakeNode } from './testing/index.ts';

suite('a node that goes down says on its connections that it takes no more calls', () => {
  const node = new FakeNode('a', fakeWorld());
  let served: ServedNode;
  let client: NodeClient;
  /** The next call reaches the node, and is answered when `answer` is called. */
  let reached: Promise<void>;
  let answer: () => void;

  before(async () => {
    served = await serveFakeNode(node);
    client = connectNode({
      ...{ address: '127.0.0.1', port: served.port, fingerprint: served.fingerprint, timeoutMs: 60_000 },
      ...{ clientCertificatePem: served.certificatePem, clientKeyPem: served.keyPem },
    });
  });
  beforeEach(() => {
    const here = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    reached = here.promise;
    answer = go.resolve;
    node.before = async () => {
      node.before = async () => {};
      here.resolve();
      await go.promise;
    };
  });
  after(async () => {
    client.close();
    await served[Symbol.asyncDispose]();
  });

  test('a call under way is answered, and the next one goes over a new connection', async () => {
    const early = client.getIdentity();
    await reached;
    served.leave();
    // This one may still go out on the old connection: refused there, it was not read, and can be made again.
    await client.getIdentity().catch(requireRetryable);
    assert.equal((await client.getIdentity()).nodeName, 'a');
    answer();
    assert.equal((await early).nodeName, 'a');
  });

  test('calls at any moment around it are answered, or can be made again', async () => {
    const early = client.getIdentity();
    await reached;
    const calls: Promise<unknown>[] = [];
    for (let at = 0; at < 40; at++) {
      if (at === 10) served.leave();
      calls.push(client.getIdentity().catch(requireRetryable));
      if (at % 3 === 0) await new Promise(setImmediate);
    }
    answer();
    await Promise.all([early, ...calls]);
    assert.equal((await client.getIdentity()).nodeName, 'a');
  });

  test('who hangs up ends the calls under way on the connection that is left, too', async () => {
    const early = client.getIdentity();
    await reached;
    served.leave();
    await client.getIdentity().catch(requireRetryable);
    client.close();
    await assert.rejects(early, { code: 'api/failed' });
    answer();
  });
});

function requireRetryable(reason: unknown): void {
  assert.ok(reason instanceof PlinthError);
  assert.deepEqual([reason.code, reason.retryable], ['api/unreachable', true], reason.message);
}
