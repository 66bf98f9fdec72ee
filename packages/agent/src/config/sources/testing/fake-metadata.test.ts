import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { metadataServices } from '../services.ts';
import { startMetadata } from './fake-metadata.ts';

/** Another hand than the code under test: the status and body of one plain request. */
function ask(port: number, method: string, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function named(name: string) {
  const service = metadataServices.find((each) => each.name === name);
  assert.ok(service);
  return service;
}

test('the fake of EC2 gives nothing without a token of its own', async () => {
  await using fake = await startMetadata(named('aws'), { userData: 'text' });
  const { port } = fake.service;
  assert.equal((await ask(port, 'GET', '/latest/user-data')).status, 401);
  assert.equal((await ask(port, 'PUT', '/latest/api/token')).status, 400);
  assert.equal((await ask(port, 'GET', '/latest/api/token')).status, 400);
  const ttl = { 'X-aws-ec2-metadata-token-ttl-seconds': '60' };
  const { body: token } = await ask(port, 'PUT', '/latest/api/token', ttl);
  const given = await ask(port, 'GET', '/latest/user-data', { 'X-aws-ec2-metadata-token': token });
  assert.deepEqual(given, { status: 200, body: 'text' });
  assert.equal(
    (await ask(port, 'GET', '/latest/user-data', { 'X-aws-ec2-metadata-token': 'b' })).status,
    401,
  );
  assert.equal(fake.asked.length, 6);
});

test('the fakes of Azure, Google and Oracle want their header', async () => {
  for (const [name, headers, refused] of [
    ['azure', { Metadata: 'true' }, 400],
    ['gcp', { 'Metadata-Flavor': 'Google' }, 400],
    ['oracle', { Authorization: 'Bearer Oracle' }, 403],
  ] as const) {
    await using fake = await startMetadata(named(name), { userData: 'text' });
    const { port, path, encoding } = fake.service;
    assert.equal((await ask(port, 'GET', path)).status, refused, name);
    const body = encoding === 'base64' ? 'dGV4dA==' : 'text';
    assert.deepEqual(await ask(port, 'GET', path, headers), { status: 200, body }, name);
  }
});

test('the fake of Scaleway refuses a port that anybody may use', async () => {
  await using fake = await startMetadata(named('scaleway'), { userData: 'text' });
  assert.equal((await ask(fake.service.port, 'GET', '/user_data/cloud-init')).status, 403);
});

test('a fake has nothing at other paths, and nothing where a machine was made without', async () => {
  await using fake = await startMetadata(named('hetzner'));
  const { port, path } = fake.service;
  assert.equal((await ask(port, 'GET', path)).status, 404);
  assert.equal((await ask(port, 'GET', '/')).status, 404);
});

test('a fake misbehaves in turn, then works', async () => {
  const troubles = [{ status: 503 }, 'hangs up', 'cut off'] as const;
  await using fake = await startMetadata(named('vultr'), { userData: 'text', troubles });
  const { port, path, headers } = fake.service;
  const once = () => ask(port, 'GET', path, { ...headers });
  assert.equal((await once()).status, 503);
  await assert.rejects(once());
  await assert.rejects(once());
  assert.equal((await once()).body, 'text');
});
