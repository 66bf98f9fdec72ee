import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { after, before, beforeEach, suite, test } from 'node:test';
import { connectNode, type NodeClient, SessionLevel } from '@plinth/api';
import type { OperationsSession } from '@plinth/config';
import { eventually, scratchFolder } from '@plinth/host/testing';
import type { OwnContainers } from '../containers/own/own-containers.ts';
import { fifoPipes } from '../containers/testing/fifo-pipes.ts';
import { openIdentity } from '../identity/open-identity.ts';
import { type Listener, serve } from '../server/serve.ts';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority, type TestAuthority } from '../testing/authority.ts';
import { openSessions, type Sessions } from './open-sessions.ts';
import { sessionCheck } from './serve-session.ts';
import { sessionService } from './session-service.ts';

const FAR_MS = 60_000;

/** Containers that are a cat at the ends of real pipes: what is typed is shown. */
function echoing(): OwnContainers & { readonly running: ReadonlyMap<string, ChildProcess> } {
  const running = new Map<string, ChildProcess>();
  const ends = new Map<string, Promise<number>>();
  const end = async (id: string) => {
    running.get(id)?.kill('SIGKILL');
    await ends.get(id);
    running.delete(id);
  };
  return {
    running,
    async start({ id, io }) {
      const [input, output] = [io.stdin, io.stdout].map((path) => openSync(path, constants.O_RDWR));
      const child = spawn('cat', [], { stdio: [input, output, 'ignore'] });
      for (const fd of [input, output]) if (fd !== undefined) closeSync(fd);
      running.set(id, child);
      ends.set(id, new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 137))));
    },
    wait: async (id) => ends.get(id),
    kill: end,
    resize: async () => {},
    remove: end,
    list: async () => [...running.keys()],
    close: () => {},
  };
}

suite('SessionService', () => {
  const end = new AbortController();
  const own = echoing();
  let authority: TestAuthority;
  let listener: Listener;
  let sessions: Sessions;
  let fingerprint = '';
  let audited: string[] = [];
  let allowed: OperationsSession | undefined;

  before(async () => {
    authority = makeAuthority();
    const identity = await openIdentity(memoryStore('a test'), 'node-1');
    ({ fingerprint } = identity);
    sessions = await openSessions({
      ...{ store: memoryStore('a test'), folder: await scratchFolder('sessions'), signal: end.signal, own },
      ...{ nowMs: Date.now, tickMs: 20, facts: { viewGroups: [], capabilities: [] } },
      console: { say: () => {} },
      cri: { image: async () => undefined, pull: async () => 'sha256:00' },
      makePipes: fifoPipes,
      signatures: { of: async () => [] },
      allowed: () => allowed,
      audit: async () => {},
      availableBytes: async () => 1024 ** 3,
    });
    listener = await serve({
      ...{ port: 0, bindAddress: '127.0.0.1', nowMs: Date.now },
      audit: (record) => {
        audited.push(JSON.stringify(record));
      },
      certificatePem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
      clientAuthoritiesPem: [authority.certificatePem],
      routes: sessionService({ sessions, allowed: () => allowed, nowMs: Date.now }),
    });
  });
  beforeEach(() => {
    audited = [];
    allowed = { image: 'r.example/a@sha256:00', levels: ['view', 'full'], longest: '10m' };
  });
  after(async () => {
    end.abort();
    await sessions.closed;
    await listener.close();
    authority[Symbol.dispose]();
  });

  const connect = (role: 'reader' | 'operator' | 'admin'): NodeClient => {
    const { certificatePem, keyPem } = authority.issue({
      organisations: [`plinth:${role}`],
      commonName: role,
    });
    return connectNode({
      ...{ address: '127.0.0.1', port: listener.port, fingerprint, timeoutMs: 20_000 },
      ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
    });
  };
  const ask = (level: SessionLevel) => ({ level, reason: 'a test', ttlMs: FAR_MS });
  const nothing = async function* () {};

  test('each level has its role, and so have its parts', async () => {
    using reader = connect('reader');
    using operator = connect('operator');
    using admin = connect('admin');
    const forbidden = { code: 'api/forbidden' };
    await assert.rejects(reader.session.start(ask(SessionLevel.VIEW), FAR_MS), forbidden);
    await assert.rejects(operator.session.start(ask(SessionLevel.FULL), FAR_MS), forbidden);
    const full = await admin.session.start(ask(SessionLevel.FULL), FAR_MS);
    assert.ok(full);
    await assert.rejects(
      operator.session.attach(full, { columns: 80, rows: 24 }, nothing()).next(),
      forbidden,
    );
    // An operator who says that it is another level comes to the method, and not to the session.
    const disguised = { id: full.id, level: SessionLevel.VIEW };
    await assert.rejects(operator.session.attach(disguised, { columns: 80, rows: 24 }, nothing()).next(), {
      code: 'session/not-allowed',
    });
    await assert.rejects(operator.session.recording(full.id).next(), forbidden);
    await assert.rejects(reader.session.end(full.id), forbidden);
    assert.equal((await reader.session.list()).sessions[0]?.openedBy, 'admin');
    assert.equal((await sessionCheck(sessions).observe({} as never)).verdict, 'fail');
    assert.equal((await operator.session.end(full.id))?.endedBecause, 'operator ended it');
    assert.equal((await sessionCheck(sessions).observe({} as never)).verdict, 'pass');
    assert.equal(own.running.size, 0);
  });

  test('what is typed is shown, and is in no audit record; hanging up leaves the session open', async () => {
    using operator = connect('operator');
    const session = await operator.session.start(ask(SessionLevel.VIEW), FAR_MS);
    assert.ok(session);
    const terminal = operator.session.attach(
      session,
      { columns: 80, rows: 24 },
      (async function* () {
        yield Buffer.from('a secret\n');
        await new Promise((resolve) => end.signal.addEventListener('abort', resolve));
      })(),
    );
    let shown = '';
    while (!shown.includes('a secret')) {
      const { value, done } = await terminal.next();
      assert.equal(done, false);
      shown += Buffer.from(value?.output ?? []).toString();
    }
    await terminal.return(undefined);
    await eventually(async () => assert.equal((await operator.session.list()).sessions[0]?.attached, false));
    assert.equal((await operator.session.list()).sessions[0]?.open, true);
    assert.ok(audited.some((line) => line.includes('StartViewSession') && line.includes('a test')));
    assert.ok(audited.every((line) => !line.includes('a secret')));
    await operator.session.end(session.id);
  });

  test('the end of a session is the last word of its terminal', async () => {
    using operator = connect('operator');
    const session = await operator.session.start(ask(SessionLevel.VIEW), FAR_MS);
    assert.ok(session);
    const terminal = operator.session.attach(
      session,
      { columns: 80, rows: 24 },
      (async function* () {
        await new Promise((resolve) => end.signal.addEventListener('abort', resolve));
      })(),
    );
    await terminal.next();
    allowed = undefined;
    const last: string[] = [];
    for await (const { endedBecause } of terminal) last.push(endedBecause);
    assert.equal(last.at(-1), 'the machine config allows it no longer');
    await assert.rejects(operator.session.start(ask(SessionLevel.VIEW), FAR_MS), {
      code: 'session/not-allowed',
    });
  });

  test('nonsense is refused with its reason', async () => {
    using admin = connect('admin');
    const wrong = { code: 'session/request-invalid' };
    await assert.rejects(admin.session.start({ ...ask(SessionLevel.VIEW), reason: '' }, FAR_MS), wrong);
    await assert.rejects(
      admin.session.start({ ...ask(SessionLevel.VIEW), terminal: { columns: 5000, rows: 1 } }, FAR_MS),
      wrong,
    );
    await assert.rejects(admin.session.end('none'), { code: 'session/missing' });
    await assert.rejects(admin.session.recording('../../etc').next(), { code: 'session/missing' });
    const unknown = { id: 'none', level: SessionLevel.FULL };
    await assert.rejects(admin.session.attach(unknown, { columns: 80, rows: 24 }, nothing()).next(), {
      code: 'session/missing',
    });
  });
});
