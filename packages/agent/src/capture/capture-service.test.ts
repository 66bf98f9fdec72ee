import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { connectNode, type NodeClient } from '@plinth/api';
import { atRest, eventually } from '@plinth/host/testing';
import { openIdentity } from '../identity/open-identity.ts';
import { type Listener, serve } from '../server/serve.ts';
import { memoryStore } from '../sys/state-store.ts';
import { streamProgram } from '../sys/stream-program.ts';
import { ProgramFailure } from '../sys/sys.ts';
import { SYSTEMD_RUN } from '../sys/transient-unit.ts';
import { makeAuthority } from '../testing/authority.ts';
import { captureService } from './capture-service.ts';

// Over the real server and client. What systemd-run would pass on comes from programs of this test.

const ADMIN = ['plinth:admin'];
const request = { reason: 'a test' };
/** Writes without an end, as fast as it is read. */
const ENDLESS = `const more = () => { while (process.stdout.write(Buffer.alloc(65536, 1))); process.stdout.once('drain', more); };
more();`;

suite('captures over the API', () => {
  const authority = makeAuthority();
  const audited: string[] = [];
  let running = 0;
  let sentBytes = 0;
  let work: (signal: AbortSignal) => AsyncIterable<Buffer>;
  let listener: Listener;
  let fingerprint = '';

  before(async () => {
    const identity = await openIdentity(memoryStore('a test'), 'node-1');
    ({ fingerprint } = identity);
    const sys = {
      async *stream(program: string, _args: readonly string[], signal: AbortSignal) {
        assert.equal(program, SYSTEMD_RUN);
        running++;
        try {
          for await (const piece of work(signal)) {
            sentBytes += piece.length;
            yield piece;
          }
        } finally {
          running--;
        }
      },
    };
    listener = await serve({
      ...{ port: 0, bindAddress: '127.0.0.1', nowMs: Date.now },
      audit: (record) => {
        audited.push(JSON.stringify(record));
      },
      certificatePem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
      clientAuthoritiesPem: [authority.certificatePem],
      routes: captureService({ sys, apiPort: 7546 }),
    });
  });
  beforeEach(() => {
    sentBytes = 0;
  });
  after(async () => {
    await listener.close();
    authority[Symbol.dispose]();
  });

  function connect(organisations: readonly string[] = ADMIN): NodeClient {
    const { certificatePem, keyPem } = authority.issue({ organisations });
    return connectNode({
      ...{ address: '127.0.0.1', port: listener.port, fingerprint, timeoutMs: 20_000 },
      ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
    });
  }
  async function read(node: NodeClient, limits: { readonly reason: string } = request): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of node.capture.packets(limits)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  test('what the unit writes comes whole, and who asked why is audited', async () => {
    const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    work = async function* () {
      yield content;
    };
    using node = connect();
    assert.ok((await read(node)).equals(content));
    assert.ok(
      audited.some((line) => line.includes('CapturePackets') && line.includes('a test')),
      audited.join('\n'),
    );
  });

  test('only administrators capture', async () => {
    using node = connect(['plinth:operator']);
    await assert.rejects(read(node), { code: 'api/forbidden' });
  });

  test('a second capture is refused while one is at work; a caller who hangs up ends his', async () => {
    work = (signal) => streamProgram(process.execPath, ['-e', ENDLESS], signal);
    using node = connect();
    using other = connect();
    const stream = node.capture.packets(request);
    await stream.next();
    await assert.rejects(read(other), { code: 'capture/busy' });
    await stream.return(undefined);
    await eventually(() => running === 0);
    work = async function* () {
      yield Buffer.from('x');
    };
    assert.equal((await read(other)).toString(), 'x');
  });

  test('a reader who stands still makes nothing pile up', async () => {
    work = (signal) => streamProgram(process.execPath, ['-e', ENDLESS], signal);
    using node = connect();
    const stream = node.capture.packets(request);
    await stream.next();
    const before = await atRest(() => sentBytes);
    assert.ok(before < 32 * 1024 * 1024, String(before));
    await stream.return(undefined);
    await eventually(() => running === 0);
  });

  test('the words of the program and of systemd-run become codes', async () => {
    using node = connect();
    for (const [exitCode, stderr, code] of [
      [2, 'plinth-capture: filter: "x", expected "and"\n', 'capture/request-invalid'],
      [3, 'plinth-capture: find the interface "x": no such device\n', 'capture/interface-missing'],
      [1, 'plinth-capture: listen: network is down\n', 'capture/failed'],
      [
        1,
        'Failed to start transient service unit: Unit plinth-capture.service was already loaded or has a fragment file.\n',
        'capture/busy',
      ],
      [1, 'Failed to connect to bus\n', 'capture/failed'],
    ] as const) {
      work = async function* () {
        yield Buffer.from('x');
        throw new ProgramFailure(SYSTEMD_RUN, exitCode, stderr);
      };
      await assert.rejects(read(node), { code }, stderr);
    }
    await assert.rejects(read(node, { reason: '' }), { code: 'capture/request-invalid' });
  });
});
