import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { EtcdService, NodeService } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { openIdentity } from '../identity/open-identity.ts';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import type { AuditRecord } from './audit.ts';
import { type Listener, serve } from './serve.ts';
import { ended, envelope, openCall, openSession } from './testing/raw-client.ts';

const STALL_MS = 300;
const NOTHING = envelope(new Uint8Array());
const authority = makeAuthority();
const alice = authority.issue({ organisations: ['plinth:admin'] });
const bob = authority.issue({ organisations: ['plinth:admin'], commonName: 'bob' });
let records: AuditRecord[] = [];
let listener: Listener;
/** How the streams of the fake database go. */
let chunk = new Uint8Array(10);
let most = 3;
let made = 0;
let open = 0;
/** Lets a stream wait before each message, and be deaf to the end of its call. */
let hold: Promise<void> | undefined;

before(async () => {
  const identity = await openIdentity(memoryStore('a test'), 'node-1');
  listener = await serve({
    port: 0,
    bindAddress: '127.0.0.1',
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: [authority.certificatePem],
    audit: (record) => records.push(record),
    nowMs: Date.now,
    stallLimitMs: STALL_MS,
    routes: (router) => {
      router.service(NodeService, {
        getVersions: () => ({}),
        getHealth: async () => {
          await hold;
          return {};
        },
      });
      router.service(EtcdService, {
        async *snapshotEtcd() {
          open++;
          try {
            for (let count = 0; count < most; count++) {
              await hold;
              made++;
              yield { chunk, remainingBytes: 0n };
            }
          } finally {
            open--;
          }
        },
      });
    },
  });
});
after(async () => {
  await listener.close();
  authority[Symbol.dispose]();
});

function reset(settings: { chunk?: Uint8Array<ArrayBuffer>; most?: number } = {}) {
  records = [];
  made = 0;
  hold = undefined;
  chunk = settings.chunk ?? new Uint8Array(10);
  most = settings.most ?? 3;
}

function startStream(client: ReturnType<typeof openSession>, headers = {}) {
  const stream = openCall(client, 'EtcdService/SnapshotEtcd', headers);
  const status = ended(stream);
  stream.end(NOTHING);
  return { stream, status };
}

const events = () => records.map(({ event, result, sent }) => [event, result, sent]);

test('a stream is recorded when it begins and when its last message has gone', async () => {
  reset();
  const client = openSession(listener.port, alice);
  const { stream, status } = startStream(client);
  stream.resume();
  assert.equal(await status, '0');
  assert.deepEqual(events(), [
    ['api.begin', '', 0],
    ['api.call', 'ok', 3],
  ]);
  assert.equal(records[0]?.call, records[1]?.call);
  client.destroy();
});

test('a stream without a deadline outlives the limits of brief calls and of silence', async () => {
  reset();
  let release = () => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  const client = openSession(listener.port, alice);
  const { stream, status } = startStream(client);
  stream.resume();
  await sleep(STALL_MS * 3);
  assert.deepEqual(events(), [['api.begin', '', 0]]);
  release();
  assert.equal(await status, '0');
  client.destroy();
});

test('a client that leaves ends its stream, and the record says so', async () => {
  reset({ most: 1e9, chunk: new Uint8Array(10_000) });
  const client = openSession(listener.port, alice);
  const { stream } = startStream(client);
  stream.resume();
  await eventually(() => made > 10);
  stream.destroy();
  await eventually(() => open === 0 && records.length === 2);
  assert.deepEqual([records[1]?.event, records[1]?.result], ['api.call', 'canceled']);
  client.destroy();
});

test('a stream that does not end with its call holds its place until it does', async () => {
  reset();
  let release = () => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  const client = openSession(listener.port, alice);
  const streams = Array.from({ length: 16 }, () => startStream(client).stream);
  await eventually(() => open === 16);
  for (const stream of streams) stream.destroy();
  await eventually(() => records.length === 32);
  const refused = startStream(client);
  refused.stream.resume();
  assert.equal(await refused.status, String(Code.ResourceExhausted));
  release();
  await eventually(() => open === 0);
  const again = startStream(client);
  again.stream.resume();
  assert.equal(await again.status, '0');
  client.destroy();
});

test('streams stand neither in the way of brief calls nor of another client', async () => {
  reset();
  let release = () => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  const [client, other] = [openSession(listener.port, alice), openSession(listener.port, bob)];
  const streams = Array.from({ length: 16 }, () => startStream(client));
  for (const { stream } of streams) stream.resume();
  await eventually(() => open === 16);
  const brief = openCall(client, 'NodeService/GetVersions');
  brief.resume();
  const briefStatus = ended(brief);
  brief.end(NOTHING);
  assert.equal(await briefStatus, '0');
  const another = startStream(other);
  another.stream.resume();
  await eventually(() => open === 17);
  release();
  assert.deepEqual(await Promise.all([...streams, another].map(({ status }) => status)), Array(17).fill('0'));
  client.destroy();
  other.destroy();
});

test('a client that does not read slows its stream down, and loses it when it stays away', async () => {
  reset({ most: 1e9, chunk: new Uint8Array(50_000) });
  const client = openSession(listener.port, alice);
  const { stream, status } = startStream(client);
  stream.pause();
  await eventually(() => made > 0);
  await sleep(STALL_MS / 2);
  const buffered = made;
  assert.ok(buffered * chunk.length < 2_000_000, `${buffered} messages were made for nobody`);
  await eventually(() => open === 0);
  assert.ok(made <= buffered + 1);
  stream.resume();
  await status;
  assert.notEqual(records[1]?.result, 'ok');
  client.destroy();
});

test('a message that does not come whole ends its call and frees its place', async () => {
  reset();
  const client = openSession(listener.port, alice);
  const halves = Array.from({ length: 8 }, () => {
    const stream = openCall(client, 'NodeService/GetVersions');
    stream.write(envelope(Buffer.alloc(1000)).subarray(0, 300));
    stream.resume();
    return ended(stream);
  });
  assert.deepEqual(await Promise.all(halves), Array(8).fill(String(Code.DeadlineExceeded)));
  assert.deepEqual(
    records.map(({ result }) => result),
    Array(8).fill('deadline_exceeded'),
  );
  const whole = openCall(client, 'NodeService/GetVersions');
  whole.resume();
  const status = ended(whole);
  whole.end(NOTHING);
  assert.equal(await status, '0');
  client.destroy();
});

test('a call ends for its client with its deadline, and its place is free when its work is done', async () => {
  reset();
  let release = () => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  const client = openSession(listener.port, alice);
  const stream = openCall(client, 'NodeService/GetHealth', { 'grpc-timeout': '50m' });
  const status = ended(stream);
  stream.resume();
  stream.end(NOTHING);
  assert.equal(await status, String(Code.DeadlineExceeded));
  await eventually(() => records.length === 1);
  assert.equal(records[0]?.result, 'deadline_exceeded');
  release();
  client.destroy();
  await once(client, 'close');
});
