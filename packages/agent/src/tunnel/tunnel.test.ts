import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNode, NodeService, type NodeTarget } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { eventually } from '@plinth/host/testing';
import { type NodeIdentity, openIdentity } from '../identity/open-identity.ts';
import type { AuditRecord } from '../server/audit.ts';
import { type Listener, serve } from '../server/serve.ts';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import type { Peer } from './peers.ts';
import { tunnelService } from './tunnel-service.ts';

// Two served nodes: "middle" forwards to "far", whose clients have certificates that "middle" does not know.

const authority = makeAuthority();
const credentials = authority.issue({ commonName: 'alice' });
const records: AuditRecord[] = [];
const closing: (() => unknown)[] = [];
let far: { identity: NodeIdentity; listener: Listener };
let middle: { identity: NodeIdentity; listener: Listener };
/** Takes connections and does with them what a test says. */
let odd: { server: Server; port: number; sockets: Socket[] };

const IDLE_MS = 400;

async function node(name: string, peers: readonly Peer[], port: number, idleMs = 60_000) {
  const identity = await openIdentity(memoryStore('a test'), name);
  const tunnel = tunnelService({
    peers: { list: async () => ({ peers, observedAtMs: 1_000, problem: '' }) },
    nodeName: name,
    port,
    isAddress: (address) => address === '127.0.0.1',
    limits: { openMs: 300, idleMs },
  });
  const listener = await serve({
    port: 0,
    bindAddress: '127.0.0.1',
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: [authority.certificatePem],
    audit: (record) => {
      records.push(record);
    },
    nowMs: Date.now,
    routes: (router) => {
      router.service(NodeService, {
        getIdentity: () => ({ nodeName: name, nodeId: identity.nodeId, addresses: ['x'.repeat(200_000)] }),
      });
      tunnel(router);
    },
  });
  closing.push(() => listener.close());
  return { identity, listener };
}

function peer(name: string, nodeId: string, address = '127.0.0.1'): Peer {
  return { name, nodeId, address, role: 'worker', labels: { zone: 'a' } };
}

before(async () => {
  far = await node('far', [], 1);
  middle = await node(
    'middle',
    [peer('far', far.identity.nodeId), peer('middle', 'x'), peer('metadata', 'y', '169.254.169.254')],
    far.listener.port,
  );
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  odd = { server, port: address.port, sockets };
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
after(async () => {
  for (const close of closing) await close();
  authority[Symbol.dispose]();
});

function target(of: typeof middle): NodeTarget {
  return {
    address: '127.0.0.1',
    port: of.listener.port,
    fingerprint: of.identity.fingerprint,
    clientCertificatePem: credentials.certificatePem,
    clientKeyPem: credentials.keyPem,
    timeoutMs: 60_000,
  };
}

/** The far node through the middle one, pinned as the list of peers says. */
function farThrough(way: ReturnType<typeof connectNode>, changes: Partial<NodeTarget> = {}) {
  return connectNode({
    ...target(far),
    ...{ address: 'far', fingerprint: undefined, nodeId: far.identity.nodeId },
    openBytes: (timeoutMs) => way.tunnel.open('far', timeoutMs),
    ...changes,
  });
}

/** Waits for the end of a connection, also one that is reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.resume();
    socket.once('end', () => socket.destroy());
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

async function failure(work: Promise<unknown>): Promise<PlinthError> {
  try {
    await work;
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
    return reason;
  }
  throw new Error('expected a failure');
}

test('the client asks the far node itself, through the middle', async () => {
  using way = connectNode(target(middle));
  using node = farThrough(way);
  const identity = await node.getIdentity();
  assert.equal(identity.nodeName, 'far');
  // More than every window on the way.
  assert.equal(identity.addresses[0]?.length, 200_000);
  node.close();
  await eventually(() => {
    const seen = records.filter(({ method }) => method.endsWith('GetIdentity'));
    assert.deepEqual(
      seen.map(({ caller, result }) => [caller, result]),
      [['alice', 'ok']],
    );
  });
});

test('a client that is done leaves nothing open on the way', async () => {
  using way = connectNode(target(middle));
  for (let round = 0; round < 40; round++) {
    const bytes = await way.tunnel.open('far', 2_000);
    const node = farThrough(way, { openBytes: async () => bytes });
    await node.getIdentity();
    node.close();
    if (!bytes.closed) await once(bytes, 'close');
  }
});

test('peers are told with what a client pins', async () => {
  using way = connectNode(target(middle));
  const { peers, observedAt } = await way.tunnel.peers();
  assert.deepEqual(
    peers.map(({ name, nodeId, self }) => [name, nodeId, self]),
    [
      ['far', far.identity.nodeId, false],
      ['middle', 'x', true],
      ['metadata', 'y', false],
    ],
  );
  assert.equal(observedAt?.seconds, 1n);
});

test('another machine behind the name is found out before a request is sent', async () => {
  using way = connectNode(target(middle));
  using node = farThrough(way, { nodeId: '0'.repeat(32) });
  const { code, details } = await failure(node.getIdentity());
  assert.equal(code, 'api/identity-mismatch');
  assert.equal(details['found'], far.identity.nodeId);
});

test('what is no peer is refused, and so are this node and addresses of no machine', async () => {
  using way = connectNode(target(middle));
  for (const name of ['nowhere', 'middle', 'metadata', '', 'a'.repeat(5_000), '127.0.0.1'])
    assert.equal((await failure(way.tunnel.open(name, 2_000))).code, 'tunnel/peer-unknown', name);
});

test('a peer that does not listen is told as such', async () => {
  const lonely = await node('lonely', [peer('far', 'x')], 1);
  using way = connectNode(target(lonely));
  assert.equal((await failure(way.tunnel.open('far', 2_000))).code, 'tunnel/peer-unreachable');
});

test('bytes pass in both directions, the end of either side is passed on', async () => {
  const middle = await node('middle-2', [peer('odd', 'x')], odd.port);
  using way = connectNode(target(middle));
  const tunnel = await way.tunnel.open('odd', 2_000);
  const socket = odd.sockets.at(-1);
  assert.ok(socket);
  tunnel.write('question');
  assert.equal(String((await once(socket, 'data'))[0]), 'question');
  tunnel.end();
  await once(socket, 'end');
  socket.end('answer');
  const parts: string[] = [];
  for await (const part of tunnel) parts.push(String(part));
  assert.deepEqual(parts, ['answer']);
});

test('a side that takes nothing holds the other; memory does not grow', async () => {
  const middle = await node('middle-3', [peer('odd', 'x')], odd.port);
  using way = connectNode(target(middle));
  const tunnel = await way.tunnel.open('odd', 2_000);
  tunnel.on('error', () => {});
  const socket = odd.sockets.at(-1);
  assert.ok(socket);
  socket.pause();
  // To a far node that does not read.
  let wrote = 0;
  const piece = Buffer.alloc(64 * 1024);
  const limit = 64 * 1024 * 1024;
  while (wrote < limit) {
    const more = tunnel.write(piece);
    wrote += piece.length;
    if (!more && !(await Promise.race([once(tunnel, 'drain').then(() => true), sleep(200, false)]))) break;
  }
  assert.ok(wrote < 16 * 1024 * 1024, `${wrote} bytes went into a peer that takes none`);
  // To a client that does not read.
  let sent = 0;
  while (sent < limit) {
    const more = socket.write(piece);
    sent += piece.length;
    if (!more && !(await Promise.race([once(socket, 'drain').then(() => true), sleep(200, false)]))) break;
  }
  assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes went into a client that takes none`);
  tunnel.destroy();
  await closed(socket);
});

test('a silent tunnel ends, and so does one that names no peer', async () => {
  const middle = await node('middle-4', [peer('odd', 'x')], odd.port, IDLE_MS);
  using way = connectNode(target(middle));
  const tunnel = await way.tunnel.open('odd', 2_000);
  const socket = odd.sockets.at(-1);
  assert.ok(socket);
  const startedMs = performance.now();
  const ended = once(tunnel, 'error');
  tunnel.resume();
  await closed(socket);
  assert.ok(performance.now() - startedMs >= IDLE_MS / 2);
  const [reason] = await ended;
  assert.ok(reason instanceof PlinthError);
  assert.equal(reason.code, 'api/unreachable');
});

test('clients that vanish leave no connection and no place behind', async () => {
  const middle = await node('middle-5', [peer('odd', 'x')], odd.port);
  for (let round = 0; round < 12; round++) {
    const way = connectNode(target(middle));
    const tunnels = await Promise.all(Array.from({ length: 3 }, () => way.tunnel.open('odd', 2_000)));
    const sockets = odd.sockets.slice(-3);
    for (const tunnel of tunnels) tunnel.on('error', () => {});
    // They owe the node a read when they go.
    for (const socket of sockets) socket.write(Buffer.alloc(4 * 1024 * 1024));
    way.close();
    await Promise.all(sockets.map(closed));
  }
  using way = connectNode(target(middle));
  (await way.tunnel.open('odd', 2_000)).destroy();
});
