import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { NodeService } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import fc from 'fast-check';
import { openIdentity } from '../identity/open-identity.ts';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { type AuditRecord, auditLine } from './audit.ts';
import { identifyCaller, roles } from './caller.ts';
import { type Listener, type ServeOptions, serve } from './serve.ts';
import { dialRaw, ended, envelope, openCall, openSession } from './testing/raw-client.ts';

const authority = makeAuthority();
const alice = authority.issue();
const bob = authority.issue({ commonName: 'bob' });
const records: AuditRecord[] = [];
/** One that ends connections soon. */
let impatient: Listener;
const IDLE_MS = 150;
/** Calls that are at work wait until this is called. */
let release = () => {};
let atWork = 0;
let listener: Listener;

before(async () => {
  const identity = await openIdentity(memoryStore('a test'), 'node-1');
  const options: ServeOptions = {
    port: 0,
    bindAddress: '127.0.0.1',
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: [authority.certificatePem],
    audit: (record) => records.push(record),
    nowMs: Date.now,
    routes: (router) => {
      router.service(NodeService, {
        getVersions: () => ({ agent: '1' }),
        getSlots: () => {
          throw new Error('a secret of the inside');
        },
        getHealth: () =>
          new Promise((resolve) => {
            const earlier = release;
            atWork++;
            release = () => {
              earlier();
              atWork--;
              release = () => {};
              resolve({});
            };
          }),
      });
    },
  };
  listener = await serve(options);
  impatient = await serve({ ...options, idleLimitMs: IDLE_MS });
});
after(async () => {
  await listener.close();
  await impatient.close();
  authority[Symbol.dispose]();
});

function session(of = listener, as = alice): ClientHttp2Session {
  return openSession(of.port, as);
}

/** A gRPC call with any bytes as its one message; gives the gRPC status, or how the stream ended. */
function call(client: ClientHttp2Session, method: string, message: Uint8Array): Promise<string> {
  const stream = openCall(client, `NodeService/${method}`);
  const status = ended(stream);
  stream.resume();
  stream.end(envelope(message));
  return status;
}

test('a request above 64 KiB is refused, and the next one is served', async () => {
  const client = session();
  assert.equal(
    await call(client, 'GetVersions', Buffer.alloc(64 * 1024 + 1)),
    String(Code.ResourceExhausted),
  );
  assert.equal(await call(client, 'GetVersions', Buffer.alloc(0)), '0');
  client.destroy();
});

test('a failure inside is told without its text', async () => {
  const client = session();
  assert.equal(await call(client, 'GetSlots', Buffer.alloc(0)), String(Code.Internal));
  client.destroy();
  const record = records.find(({ method }) => method === 'NodeService.GetSlots');
  assert.deepEqual([record?.result, record?.caller], ['internal', 'alice']);
});

test('more calls of one client than its share wait for their turn', async () => {
  const client = session();
  const waiting = Array.from({ length: 12 }, () => call(client, 'GetHealth', Buffer.alloc(0)));
  await eventually(() => atWork >= 8);
  await sleep(50);
  assert.equal(atWork, 8);
  const other = session(listener, bob);
  const others = call(other, 'GetHealth', Buffer.alloc(0));
  await eventually(() => atWork >= 9);
  release();
  await eventually(() => atWork >= 4);
  release();
  assert.deepEqual(await Promise.all([...waiting, others]), Array(13).fill('0'));
  client.destroy();
  other.destroy();
});

test('a connection without a call ends, one with a call at work lives on', async () => {
  const [idle, busy] = [session(impatient), session(impatient)];
  const waiting = call(busy, 'GetHealth', Buffer.alloc(0));
  await call(idle, 'GetVersions', Buffer.alloc(0));
  const startedMs = performance.now();
  await once(idle, 'close');
  assert.ok(performance.now() - startedMs >= IDLE_MS / 2);
  await sleep(IDLE_MS * 4);
  assert.equal(busy.closed, false);
  release();
  assert.equal(await waiting, '0');
  await once(busy, 'close');
});

test('noise after the handshake ends its own connection only', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 24, maxLength: 200 }), async (noise) => {
      const socket = dialRaw(listener.port, alice);
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      socket.resume();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.end(noise);
      await closed;
    }),
    { numRuns: 20 },
  );
  const client = session();
  assert.equal(await call(client, 'GetVersions', Buffer.alloc(0)), '0');
  client.destroy();
});

test('noise instead of a message is an error of the call only', async () => {
  const client = session();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (noise) => {
      assert.match(await call(client, 'GetVersions', noise), /^\d+$/);
    }),
    { numRuns: 50 },
  );
  assert.equal(await call(client, 'GetVersions', Buffer.alloc(0)), '0');
  client.destroy();
});

test('auditLine is one line whatever a name holds', () => {
  const [record] = records;
  assert.ok(record);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (caller) => {
      const line = auditLine({ ...record, caller });
      assert.equal(/[\n\r]/.test(line), false);
      assert.equal(JSON.parse(line).caller, caller.slice(0, 256));
    }),
  );
});

const validity = { valid_from: 'Jan  1 00:00:00 2020 GMT', valid_to: 'Jan  1 00:00:00 2030 GMT' };
const inside = Date.UTC(2026, 0, 1);

function subject(names: Readonly<Record<string, unknown>>) {
  return identifyCaller(Object.assign(JSON.parse('{}'), { subject: names }, validity), inside);
}

test('identifyCaller accepts the three roles and nothing else', () => {
  for (const role of roles)
    assert.deepEqual(subject({ CN: 'a', O: role }), {
      ok: true,
      caller: { commonName: 'a', role, validFromMs: Date.UTC(2020, 0) },
    });
  fc.assert(
    fc.property(fc.string(), (organisation) => {
      fc.pre(!roles.some((role) => role === organisation));
      assert.equal(subject({ CN: 'a', O: organisation }).ok, false);
    }),
  );
  assert.equal(subject({ CN: 'a', O: [...roles] }).ok, false);
  assert.equal(subject({ CN: ['a', 'b'], O: roles[0] }).ok, false);
  assert.equal(subject({ O: roles[0] }).ok, false);
  assert.equal(identifyCaller(undefined, inside).ok, false);
});

test('identifyCaller looks at the validity at each call', () => {
  const certificate = Object.assign(JSON.parse('{}'), { subject: { CN: 'a', O: roles[0] } }, validity);
  assert.equal(identifyCaller(certificate, Date.UTC(2019, 11, 31)).ok, false);
  assert.equal(identifyCaller(certificate, Date.UTC(2030, 0, 2)).ok, false);
  assert.equal(identifyCaller({ ...certificate, valid_to: 'nonsense' }, inside).ok, false);
});
