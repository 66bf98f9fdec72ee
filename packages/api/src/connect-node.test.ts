import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { type ErrorCode, PlinthError } from '@plinth/base';
import {
  connectNode,
  fingerprintOf,
  HealthState,
  healthStateName,
  isFingerprint,
  type NodeClient,
  NodeService,
  type NodeTarget,
  Verdict,
  verdictName,
} from './index.ts';
import { nodeCallLimitMs } from './limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'plinth-api-'));
const closing: { close(): unknown }[] = [];
after(() => {
  for (const server of closing) server.close();
  rmSync(folder, { recursive: true, force: true });
});

execFileSync(
  'openssl',
  [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=node',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    'key.pem',
    '-out',
    'cert.pem',
  ],
  { cwd: folder, stdio: 'pipe' },
);
const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
const key = readFileSync(join(folder, 'key.pem'), 'utf8');
const fingerprint = fingerprintOf(Buffer.from(cert.split('-----')[2] ?? '', 'base64'));

async function listen(server: Server | Http2SecureServer): Promise<number> {
  closing.push({ close: () => server.close() });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** A node that answers with what `routes` says. */
function serveRoutes(routes: (router: ConnectRouter) => void): Promise<number> {
  return listen(
    createSecureServer(
      { cert, key },
      connectNodeAdapter({ routes, connect: false, grpcWeb: false, maxTimeoutMs: nodeCallLimitMs }),
    ),
  );
}

function client(port: number, changes: Partial<NodeTarget> = {}): NodeClient {
  return connectNode({
    address: '127.0.0.1',
    port,
    fingerprint,
    clientCertificatePem: cert,
    clientKeyPem: key,
    timeoutMs: 20_000,
    ...changes,
  });
}

test('a client that waits long for other services does not ask a node for more time than it gives', async () => {
  const port = await serveRoutes((router) => {
    router.service(NodeService, { getVersions: () => ({ imageVersion: '1.2.3' }) });
  });
  using api = client(port, { timeoutMs: 2 * nodeCallLimitMs });
  assert.equal((await api.getVersions()).imageVersion, '1.2.3');
});

async function failure(api: NodeClient): Promise<PlinthError> {
  using opened = api;
  try {
    await opened.getVersions();
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
    return reason;
  }
  assert.fail('expected a failure');
}

test('connectNode calls and pins; one connection serves many calls', async () => {
  const port = await serveRoutes((router) => {
    router.service(NodeService, { getVersions: () => ({ agent: '1.2.3' }) });
  });
  using api = client(port);
  assert.equal((await api.getVersions()).agent, '1.2.3');
  assert.equal((await api.getVersions()).agent, '1.2.3');
});

test('connectNode dials again after the connection was lost', async () => {
  const port = await serveRoutes((router) => {
    router.service(NodeService, { getVersions: () => ({ agent: '1' }) });
  });
  using api = client(port);
  await api.getVersions();
  api.close();
  assert.equal((await api.getVersions()).agent, '1');
});

test('connectNode trusts an authority when no fingerprint is given', async () => {
  const port = await serveRoutes((router) => {
    router.service(NodeService, { getVersions: () => ({ agent: '1' }) });
  });
  using api = client(port, { fingerprint: undefined, serverAuthoritiesPem: [cert] });
  assert.equal((await api.getVersions()).agent, '1');
});

const answers: readonly (readonly [Code, ErrorCode, retryable: boolean])[] = [
  [Code.PermissionDenied, 'api/forbidden', false],
  [Code.Unauthenticated, 'api/forbidden', false],
  [Code.ResourceExhausted, 'api/overloaded', true],
  [Code.Unavailable, 'api/unreachable', true],
  [Code.DeadlineExceeded, 'api/timeout', true],
  [Code.FailedPrecondition, 'api/refused', false],
  [Code.InvalidArgument, 'api/bad-request', false],
  [Code.NotFound, 'api/not-found', false],
  [Code.Internal, 'api/failed', false],
];
for (const [grpc, code, retryable] of answers) {
  test(`an answer ${Code[grpc]} becomes ${code}`, async () => {
    const port = await serveRoutes((router) => {
      router.service(NodeService, {
        getVersions: () => {
          throw new ConnectError('because', grpc);
        },
      });
    });
    const error = await failure(client(port));
    assert.deepEqual([error.code, error.retryable], [code, retryable]);
    assert.match(error.message, /^Cannot call GetVersions on 127\.0\.0\.1:\d+: because$/);
    assert.notEqual(error.hint, '');
  });
}

test('a method the node does not have is api/unsupported', async () => {
  const port = await serveRoutes(() => {});
  assert.equal((await failure(client(port))).code, 'api/unsupported');
});

test('nobody at the port is api/unreachable', async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  const error = await failure(client(port));
  assert.deepEqual([error.code, error.retryable], ['api/unreachable', true]);
});

test('a port that takes connections and says nothing is api/timeout', async () => {
  const sockets: { destroy(): void }[] = [];
  const port = await listen(createServer((socket) => sockets.push(socket)));
  const error = await failure(client(port, { timeoutMs: 200 }));
  assert.deepEqual([error.code, error.exitCode], ['api/timeout', 6]);
  for (const socket of sockets) socket.destroy();
});

test('a call that takes too long is api/timeout', async () => {
  const port = await serveRoutes((router) => {
    router.service(NodeService, {
      getVersions: (_request, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve({}))),
    });
  });
  assert.equal((await failure(client(port, { timeoutMs: 500 }))).code, 'api/timeout');
});

test('a port that speaks something else is api/protocol', async () => {
  const port = await listen(createServer((socket) => socket.end('SSH-2.0-x\r\n')));
  assert.equal((await failure(client(port))).code, 'api/protocol');
});

test('TLS without HTTP/2 is api/protocol', async () => {
  const port = await listen(createTlsServer({ cert, key }));
  assert.equal((await failure(client(port))).code, 'api/protocol');
});

test('another certificate is api/identity-mismatch, and no request was sent', async () => {
  let called = false;
  const port = await serveRoutes((router) => {
    router.service(NodeService, {
      getVersions: () => {
        called = true;
        return {};
      },
    });
  });
  const error = await failure(client(port, { fingerprint: `sha256:${'ab'.repeat(32)}` }));
  assert.equal(error.code, 'api/identity-mismatch');
  assert.deepEqual(error.details, { found: fingerprint, expected: `sha256:${'ab'.repeat(32)}` });
  assert.equal(called, false);
});

test('what cannot be used as a credential is api/bad-credentials', async () => {
  for (const changes of [
    { fingerprint: 'sha256:xyz' },
    { clientKeyPem: 'x' },
    { clientCertificatePem: 'x' },
  ]) {
    const error = await failure(client(1, changes));
    assert.deepEqual([error.code, error.exitCode], ['api/bad-credentials', 2]);
    assert.equal(error.message.includes(key), false);
  }
});

test('fingerprintOf is what openssl prints', () => {
  const line = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], {
    input: cert,
    encoding: 'utf8',
  });
  assert.equal(fingerprint, `sha256:${line.split('=')[1]?.trim().replaceAll(':', '').toLowerCase()}`);
  assert.ok(isFingerprint(fingerprint));
  assert.equal(isFingerprint(fingerprint.toUpperCase()), false);
});

test('what this client does not know is never good', () => {
  assert.equal(verdictName(Verdict.UNSPECIFIED), 'unknown');
  assert.equal(healthStateName(HealthState.UNSPECIFIED), 'unknown');
});
