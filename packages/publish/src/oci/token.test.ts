import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { writeSampleFiles } from '../testing/index.ts';
import { pushRelease } from './push-release.ts';

// A registry with a token service that lists referrers itself, as the large ones are; Debian has none to try against.

const scratch = await scratchFolder('token');
const releaseDir = join(scratch, 'release');
const manifest = await writeSampleFiles(releaseDir, { version: '1.0.0' });
const servers: ReturnType<typeof createServer>[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listen(handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void) {
  const server = createServer((request, response) => {
    void buffer(request).then((body) => handle(request, response, body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
}

/** What such a registry knows. A token is good for what it was asked for. */
async function startRegistry(change: { readonly leadTo?: string; readonly limit?: number } = {}) {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const asked: string[] = [];
  const host = await listen((request, response, body) => {
    const url = new URL(request.url ?? '', `http://${host}`);
    const { method = '', headers } = request;
    const answer = (status: number, fields: Record<string, string> = {}, content?: Buffer | string) => {
      response.writeHead(status, fields).end(method === 'HEAD' ? undefined : content);
    };
    asked.push(`${method} ${url.pathname}`);
    if (url.pathname === '/token') {
      const isAda = headers.authorization === `Basic ${Buffer.from('ada:open sesame').toString('base64')}`;
      return answer(isAda ? 200 : 401, {}, JSON.stringify({ token: url.searchParams.get('scope') }));
    }
    const wanted = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
    const scope = `repository:plinth:${wanted}`;
    if (!headers.authorization?.startsWith(`Bearer ${scope}`)) {
      const challenge = `Bearer realm="http://${host}/token",service="test",scope="${scope}"`;
      return answer(401, { 'www-authenticate': challenge });
    }
    const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
    if (method === 'POST')
      return answer(202, { location: change.leadTo ?? '/v2/plinth/blobs/uploads/7?state=x' });
    if (url.pathname.includes('/blobs/uploads/')) {
      const digest = `sha256:${hashText(body)}`;
      if (body.length > (change.limit ?? Number.POSITIVE_INFINITY)) return answer(413, {}, 'too\nlarge');
      if (url.searchParams.get('digest') !== digest || url.searchParams.get('state') !== 'x')
        return answer(400);
      blobs.set(digest, body);
      return answer(201);
    }
    if (url.pathname.includes('/blobs/')) return answer(blobs.has(name) ? 200 : 404);
    if (method === 'PUT') {
      manifests.set(name, body);
      const { subject } = JSON.parse(body.toString('utf8'));
      return answer(201, subject ? { 'oci-subject': subject.digest } : {});
    }
    return answer(404);
  });
  const configDir = join(scratch, host.replace(':', '-'));
  await mkdir(configDir);
  const auth = Buffer.from('ada:open sesame').toString('base64');
  await writeFile(join(configDir, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  return { host, blobs, manifests, asked, env: { DOCKER_CONFIG: configDir } };
}

test('tokens are asked for as the registry wants them; one that lists referrers needs no list of ours', async () => {
  const { host, env, blobs, manifests, asked } = await startRegistry();
  const pushed = await pushRelease({ releaseDir, to: `oci://${host}/plinth:1`, env });
  const { artefacts } = manifest;
  for (const { sha256 } of artefacts) assert.ok(blobs.has(`sha256:${sha256}`));
  assert.equal(manifests.size, pushed.referrers.length + 2);
  assert.ok(![...manifests.keys()].some((name) => name.startsWith('sha256-')));
  assert.equal([...manifests.keys()].at(-1), '1', 'the tag comes last');
  assert.ok(asked.filter((line) => line.endsWith('/token')).length >= 2);
});

test('a registry that leads elsewhere gets no further, and nobody else gets the token', async () => {
  const seen: IncomingMessage[] = [];
  const other = await listen((request, response) => {
    seen.push(request);
    response.writeHead(201).end();
  });
  const { host, env } = await startRegistry({ leadTo: `http://${other}/v2/plinth/blobs/uploads/7?state=x` });
  await assert.rejects(pushRelease({ releaseDir, to: `oci://${host}/plinth`, env }), {
    code: 'publish/registry-failed',
  });
  assert.equal(seen.length, 0);
});

test('what a registry refuses is told in one line', async () => {
  const { host, env } = await startRegistry({ limit: 1000 });
  await assert.rejects(pushRelease({ releaseDir, to: `oci://${host}/plinth`, env }), (error: Error) => {
    assert.match(error.message, /answers 413 too large$/);
    assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /sesame|Bearer|Basic/);
    return true;
  });
  await assert.rejects(pushRelease({ releaseDir, to: `oci://${host}/plinth`, env: { HOME: scratch } }), {
    code: 'publish/registry-denied',
  });
  await assert.rejects(pushRelease({ releaseDir, to: 'oci://127.0.0.1:1/plinth', env }), {
    code: 'publish/registry-failed',
  });
});
