import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { connectNode, type NodeClient } from './index.ts';
import { FakeNode, fakeWorld, type ServedNode, serveFakeNode } from './testing/index.ts';

const node = new FakeNode('a', fakeWorld());
const HOLD_MS = 15;
let served: ServedNode;
let client: NodeClient;

/** A connection whose answers arrive in one piece: bytes are held until nothing more has come for a while. */
async function inOnePiece(port: number): Promise<Duplex> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let held: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const stream = new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => void socket.end(() => done()),
    destroy(reason, done) {
      clearTimeout(timer);
      socket.destroy();
      done(reason);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    held.push(chunk);
    clearTimeout(timer);
    timer = setTimeout(() => {
      stream.push(Buffer.concat(held));
      held = [];
    }, HOLD_MS);
  });
  socket.on('end', () => stream.push(null));
  socket.on('error', (reason) => stream.destroy(reason));
  return stream;
}

before(async () => {
  served = await serveFakeNode(node);
  client = connectNode({
    ...{ address: 'a', port: 1, fingerprint: served.fingerprint, timeoutMs: 60_000 },
    ...{ clientCertificatePem: served.certificatePem, clientKeyPem: served.keyPem },
    openBytes: () => inOnePiece(served.port),
  });
});
after(async () => {
  client.close();
  await served[Symbol.asyncDispose]();
});

test('an answer whose end comes with it is whole', async () => {
  for (let call = 0; call < 5; call++) assert.equal((await client.getIdentity()).nodeName, 'a');
});

test('a refusal without an answer is the refusal', async () => {
  await assert.rejects(client.login.get(), { code: 'api/unsupported' });
  await assert.rejects(client.kubernetes.cis(), { code: 'api/refused', message: /belongs to no cluster/ });
});

test('a stream comes whole too', async () => {
  let bytes = 0;
  for await (const chunk of client.etcd.snapshot(5_000)) bytes += chunk.length;
  assert.equal(bytes, node.database.length);
});

test('a connection that breaks is an error, not an end', async () => {
  node.before = async () => client.close();
  const startedMs = performance.now();
  await assert.rejects(client.getIdentity(), { code: 'api/failed' });
  assert.ok(performance.now() - startedMs < 30_000, 'it does not wait for its time to be over');
  node.before = async () => {};
  assert.equal((await client.getIdentity()).nodeName, 'a');
});
