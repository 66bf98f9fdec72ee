import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@plinth/host/testing';
import { memoryStore } from '../../sys/state-store.ts';
import { type Balancer, openBalancer } from './open-balancer.ts';
import { probeServer, runBalancer } from './run-balancer.ts';
import type { Sight } from './server-health.ts';
import { readServers } from './server-list.ts';

/** A server that says its name, then gives back what it gets. */
async function server(context: TestContext, name: string, port = 0) {
  const open = new Set<Socket>();
  const listener: Server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const stop = async () => {
    for (const socket of open) socket.resetAndDestroy();
    if (listener.listening) await new Promise((resolve) => listener.close(resolve));
  };
  context.after(stop);
  const address = listener.address() as AddressInfo;
  return { at: `127.0.0.1:${address.port}`, port: address.port, stop, open };
}

async function balancer(
  context: TestContext,
  servers: string[],
  options: { own?: string; connections?: number } = {},
) {
  const opened = await openBalancer({ port: 0, connectMs: 500, ...options });
  context.after(() => opened.close());
  opened.setServers(servers);
  return opened;
}

/** Connects and gives the name of who answers; undefined when nobody does. */
async function who(port: number): Promise<{ name: string | undefined; socket: Socket }> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  return { name: Buffer.isBuffer(data) ? data.toString().trim() : undefined, socket };
}

async function nameOf({ port }: Balancer): Promise<string | undefined> {
  const { name, socket } = await who(port);
  socket.destroy();
  return name;
}

test('bytes go both ways, and the end of one direction is passed on', async (context) => {
  const a = await server(context, 'a');
  const { port } = await balancer(context, [a.at]);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const sent = Buffer.alloc(3_000_000, 'plinth ');
  socket.end(sent);
  assert.equal(await text(socket), `a\n${sent}`);
});

test('the own server is taken as long as it works, then another, then the own again', async (context) => {
  const [a, b] = [await server(context, 'a'), await server(context, 'b')];
  const opened = await balancer(context, [b.at, a.at], { own: a.at });
  for (let round = 0; round < 4; round++) assert.equal(await nameOf(opened), 'a');
  await a.stop();
  assert.equal(await nameOf(opened), 'b');
  assert.equal(opened.healthOf(a.at), 'dead');
  await server(context, 'a', a.port);
  opened.observe(a.at, 'ready');
  assert.equal(await nameOf(opened), 'a');
});

test('no call is lost while servers die and come back, as long as one is there', async (context) => {
  const servers = [await server(context, 'a'), await server(context, 'b'), await server(context, 'c')];
  const opened = await balancer(
    context,
    servers.map(({ at }) => at),
  );
  for (const dying of servers) {
    await dying.stop();
    const answers = await Promise.all(Array.from({ length: 20 }, () => nameOf(opened)));
    assert.ok(
      answers.every((name) => name !== undefined),
      String(answers),
    );
    const again = await server(context, 'again', dying.port);
    opened.observe(again.at, 'ready');
  }
});

test('without a server a client is told at once, and with one again it works', async (context) => {
  const a = await server(context, 'a');
  const opened = await balancer(context, [a.at]);
  await a.stop();
  assert.equal(await nameOf(opened), undefined);
  await server(context, 'a', a.port);
  assert.equal(await nameOf(opened), 'a');
});

test('a silent server loses its connections when probes find it dead', async (context) => {
  const [a, b] = [await server(context, 'a'), await server(context, 'b')];
  const opened = await balancer(context, [a.at, b.at], { own: a.at });
  opened.observe(b.at, 'ready');
  opened.observe(a.at, 'ready');
  const { name, socket } = await who(opened.port);
  assert.equal(name, 'a');
  const closed = once(socket, 'close');
  opened.observe(a.at, 'no-answer');
  assert.equal(socket.closed, false);
  opened.observe(a.at, 'no-answer');
  socket.end();
  await closed;
  assert.equal(await nameOf(opened), 'b');
});

test('a silent server keeps its connections while there is no better one', async (context) => {
  const [a, b] = [await server(context, 'a'), await server(context, 'b')];
  const opened = await balancer(context, [a.at, b.at], { own: a.at });
  const { socket } = await who(opened.port);
  for (const each of [a.at, b.at, a.at, b.at]) opened.observe(each, 'no-answer');
  assert.equal(opened.healthOf(a.at), 'dead');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(socket.closed || socket.readableEnded, false);
  socket.destroy();
});

test('connections are bounded', async (context) => {
  const a = await server(context, 'a');
  const opened = await balancer(context, [a.at], { connections: 2 });
  const held = [await who(opened.port), await who(opened.port)];
  assert.deepEqual(
    held.map(({ name }) => name),
    ['a', 'a'],
  );
  assert.equal(await nameOf(opened), undefined);
  held[0]?.socket.destroy();
  await eventually(async () => assert.equal(await nameOf(opened), 'a'));
  held[1]?.socket.destroy();
});

test('a list that cannot be used is not taken, and a server that left it loses its connections', async (context) => {
  const [a, b] = [await server(context, 'a'), await server(context, 'b')];
  const opened = await balancer(context, [a.at]);
  assert.equal(opened.setServers([]), false);
  assert.equal(opened.setServers(['nonsense']), false);
  assert.deepEqual(opened.servers(), [a.at]);
  const { socket } = await who(opened.port);
  const closed = once(socket, 'close');
  assert.equal(opened.setServers([b.at]), true);
  socket.end();
  await closed;
  assert.equal(await nameOf(opened), 'b');
});

/** Lets both loops go `rounds` times by themselves. */
async function loops(
  opened: Balancer,
  store = memoryStore('a test'),
  given: Partial<Parameters<typeof runBalancer>[0]> = {},
) {
  const stopping = new AbortController();
  let sleeps = 0;
  const said: unknown[] = [];
  await runBalancer({
    balancer: opened,
    store,
    firstServers: [],
    listServers: async () => [],
    probe: async (): Promise<Sight> => 'ready',
    signal: stopping.signal,
    onFailure: (reason) => said.push(reason),
    async sleep() {
      await sleep(1);
      if (++sleeps > 8) stopping.abort();
    },
    ...given,
  });
  return said;
}

test('the list comes from the invitation, then from the cluster, and after a reboot from the disk', async (context) => {
  const store = memoryStore('a test');
  const opened = await balancer(context, []);
  await loops(opened, store, { firstServers: ['192.0.2.1:6443'] });
  assert.deepEqual(opened.servers(), ['192.0.2.1:6443']);
  assert.equal(opened.healthOf('192.0.2.1:6443'), 'unknown', 'the only server is not asked how it is');
  await loops(opened, store, { listServers: async () => ['192.0.2.1:6443', '192.0.2.2:6443'] });
  await loops(opened, store, { listServers: async () => ['192.0.2.1:6443', '192.0.2.2:6443'] });
  assert.equal(opened.healthOf('192.0.2.1:6443'), 'ready');
  assert.deepEqual(await readServers(store), ['192.0.2.1:6443', '192.0.2.2:6443']);

  const rebooted = await balancer(context, []);
  const failure = new Error('the API is away');
  const said = await loops(rebooted, store, {
    firstServers: ['192.0.2.9:6443'],
    listServers: () => Promise.reject(failure),
  });
  assert.deepEqual(rebooted.servers(), ['192.0.2.1:6443', '192.0.2.2:6443']);
  assert.deepEqual(said, [failure]);
});

test('before the node has joined a probe sees no more than a listener', async (context) => {
  const a = await server(context, 'a');
  assert.equal(await probeServer(a.at, undefined), 'connected');
  // Something that is not the API server of the cluster is not one.
  assert.equal(await probeServer(a.at, '', { timeoutMs: 500 }), 'no-answer');
  await a.stop();
  assert.equal(await probeServer(a.at, undefined), 'no-answer');
});
