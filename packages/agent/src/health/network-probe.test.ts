import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { networkProbe } from './network-probe.ts';

const probe = networkProbe({ timeoutMs: 500 });
const folder = mkdtempSync(join(tmpdir(), 'plinth-probe-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A name server that answers each question with a code, or with 10.96.0.1, or not at all (RFC 1035, 4.1). */
async function nameServer(
  behaviour: 'address' | 'no-such-name' | 'silent',
): Promise<{ socket: Socket; address: string }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    if (behaviour === 'silent') return;
    const answer = Buffer.from(query);
    // Response, recursion available; NXDOMAIN is code 3.
    answer.writeUInt16BE(behaviour === 'address' ? 0x8180 : 0x8183, 2);
    answer.writeUInt16BE(0, 8);
    answer.writeUInt16BE(0, 10);
    // Only the question is kept; an answer points back to its name.
    let end = 12;
    while (answer.readUInt8(end) !== 0) end += answer.readUInt8(end) + 1;
    const question = answer.subarray(0, end + 5);
    const record = Buffer.from('c00c00010001000000050004' + '0a600001', 'hex');
    if (behaviour === 'address') question.writeUInt16BE(1, 6);
    socket.send(behaviour === 'address' ? Buffer.concat([question, record]) : question, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, address: `127.0.0.1:${socket.address().port}` };
}

async function listen(server: Server, target: string | number): Promise<number> {
  if (typeof target === 'string') server.listen(target);
  else server.listen(target, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

test('lookup tells an address, "no such name" and silence apart', async () => {
  const cases = [
    ['address', { answered: true, addresses: ['10.96.0.1'], code: '', known: true }],
    ['no-such-name', { answered: true, addresses: [], code: 'ENOTFOUND', known: true }],
    ['silent', { answered: false, addresses: [], code: 'ETIMEOUT', known: false }],
  ] as const;
  for (const [behaviour, expected] of cases) {
    const { socket, address } = await nameServer(behaviour);
    try {
      assert.deepEqual(await probe.lookup('kubernetes.default.svc.cluster.local', address), expected);
    } finally {
      socket.close();
    }
  }
});

test('lookup knows a server that answered before, and one that was named', async () => {
  const { socket, address } = await nameServer('no-such-name');
  assert.equal((await probe.lookup('a.invalid', address)).known, true);
  socket.close();
  const silent = await probe.lookup('a.invalid', address);
  assert.deepEqual([silent.answered, silent.known], [false, true]);
  const other = await nameServer('silent');
  const told = networkProbe({ timeoutMs: 100, known: [other.address] });
  assert.equal((await told.lookup('a.invalid', other.address)).known, true);
  other.socket.close();
});

test('lookup takes what is no server for silence', async () => {
  assert.equal((await probe.lookup('a.invalid', 'not an address')).answered, false);
});

test('connect reaches a port and a socket file, and says why it does not', async () => {
  const server = createServer((socket) => socket.end());
  const port = await listen(server, 0);
  assert.equal(await probe.connect({ host: '127.0.0.1', port }), '');
  server.close();
  await once(server, 'close');
  assert.equal(await probe.connect({ host: '127.0.0.1', port }), 'ECONNREFUSED');
  const path = join(folder, 'socket');
  assert.equal(await probe.connect({ path }), 'ENOENT');
  const local = createServer((socket) => socket.end());
  await listen(local, path);
  assert.equal(await probe.connect({ path }), '');
  local.close();
});

test('httpGet gives status and the begin of the body, and rejects without a server', async () => {
  const server = createHttpServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? 200 : 500);
    response.end('ok'.repeat(4096));
  });
  const port = await listen(server, 0);
  const { status, body } = await probe.httpGet(port, '/healthz');
  assert.deepEqual([status, body.length], [200, 4096]);
  assert.equal((await probe.httpGet(port, '/other')).status, 500);
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  await assert.rejects(probe.httpGet(port, '/healthz'), { code: 'ECONNREFUSED' });
});
