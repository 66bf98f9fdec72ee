import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { LoginService, NodeService } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { openIdentity } from '../identity/open-identity.ts';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import type { AuditRecord } from './audit.ts';
import { type Listener, serve } from './serve.ts';
import { ended, envelope, openCall, openSession } from './testing/raw-client.ts';

// A server that admits callers without a certificate beside those with one.

const authority = makeAuthority();
const other = makeAuthority('another');
const records: AuditRecord[] = [];
let listener: Listener;

before(async () => {
  const identity = await openIdentity(memoryStore('a test'), 'node-1');
  listener = await serve({
    ...{ port: 0, bindAddress: '127.0.0.1', admitsStrangers: true, nowMs: Date.now },
    ...{ certificatePem: identity.certificatePem, privateKeyPem: identity.privateKeyPem },
    clientAuthoritiesPem: [authority.certificatePem],
    audit: (record) => records.push(record),
    routes: (router) => {
      router.service(NodeService, { getVersions: () => ({ agent: '1' }) });
      router.service(LoginService, { getLogin: () => ({ issuer: 'x' }) });
    },
  });
});
after(async () => {
  await listener.close();
  authority[Symbol.dispose]();
  other[Symbol.dispose]();
});

async function call(session: ReturnType<typeof openSession>, method: string): Promise<string> {
  const stream = openCall(session, method);
  const status = ended(stream);
  stream.resume();
  stream.end(envelope(new Uint8Array()));
  return status;
}

test('each kind of caller reaches its own methods, and no method of the other kind', async () => {
  const stranger = openSession(listener.port);
  const admin = openSession(listener.port, authority.issue({ organisations: ['plinth:admin'] }));
  const foreign = openSession(listener.port, other.issue({ organisations: ['plinth:admin'] }));
  const denied = String(Code.PermissionDenied);
  assert.equal(await call(stranger, 'LoginService/GetLogin'), '0');
  assert.equal(await call(stranger, 'NodeService/GetVersions'), denied);
  assert.equal(await call(admin, 'NodeService/GetVersions'), '0');
  assert.equal(await call(admin, 'LoginService/GetLogin'), denied);
  assert.equal(await call(foreign, 'NodeService/GetVersions'), denied);
  assert.equal(await call(foreign, 'LoginService/GetLogin'), denied);
  for (const each of [stranger, admin, foreign]) each.destroy();
});

test('strangers who open connection after connection and call without a pause shut nobody out', async () => {
  const alice = authority.issue({ commonName: 'alice' });
  const own = openSession(listener.port, alice);
  assert.equal(await call(own, 'NodeService/GetVersions'), '0');
  const crowd = Array.from({ length: 60 }, () => openSession(listener.port));
  for (const each of crowd) each.on('error', () => {});
  const outcomes: string[] = [];
  for (const each of crowd)
    for (let times = 0; times < 30; times++)
      call(each, 'LoginService/GetLogin').then(
        (outcome) => outcomes.push(outcome),
        () => {}, // its connection ended before it began
      );
  for (let round = 0; round < 5; round++) assert.equal(await call(own, 'NodeService/GetVersions'), '0');
  const late = openSession(listener.port, alice);
  assert.equal(await call(late, 'NodeService/GetVersions'), '0');
  await eventually(() => outcomes.includes('0'));
  // All strangers have the connections of one client.
  await eventually(() => assert.ok(crowd.filter((each) => !each.destroyed).length <= 32));
  assert.ok(!own.destroyed && !late.destroyed);
  for (const each of [...crowd, own, late]) each.destroy();
});
