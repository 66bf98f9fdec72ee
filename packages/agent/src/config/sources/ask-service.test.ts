import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configLimits } from '@plinth/config';
import fc from 'fast-check';
import { askService } from './ask-service.ts';
import { type MetadataService, metadataServices } from './services.ts';
import { type FakeMetadataOptions, startMetadata, type Trouble } from './testing/fake-metadata.ts';

const isRoot = process.getuid?.() === 0;

async function ask(service: MetadataService, options: FakeMetadataOptions, timeoutMs = 3_000) {
  await using fake = await startMetadata(service, { anyPort: !isRoot, ...options });
  // Without root there are no low ports; that one is refused then is tested below.
  const { fromLowPort: _, ...anyPort } = fake.service;
  const asked = await askService(isRoot ? fake.service : anyPort, { timeoutMs });
  return { asked, requests: fake.asked };
}

function named(name: string): MetadataService {
  const service = metadataServices.find((each) => each.name === name);
  assert.ok(service);
  return service;
}

for (const service of metadataServices) {
  test(`${service.title} gives user data`, async () => {
    for (const userData of ['#cloud-config\nhostname: a\n', Uint8Array.of(0x1f, 0x8b, 0, 255)]) {
      const { asked, requests } = await ask(service, { userData });
      assert.deepEqual(asked, { kind: 'given', bytes: Buffer.from(userData) });
      assert.equal(requests.at(-1), `GET ${service.path}`);
    }
  });

  test(`${service.title} tells that a machine was made without user data`, async () => {
    assert.deepEqual((await ask(service, {})).asked, { kind: 'none' });
    if (service.encoding === 'plain')
      assert.deepEqual((await ask(service, { userData: ' \n' })).asked, { kind: 'none' });
  });

  test(`${service.title} in trouble is told from a machine without user data`, async () => {
    const answersWith = service.answersWith ? { [service.answersWith[0]]: service.answersWith[1] } : {};
    const status = (code: number): Trouble => ({ status: code, headers: answersWith });
    for (const [trouble, why] of [
      ['silent', /no answer within 200 ms/],
      ['drips', /no answer within 200 ms/],
      ['hangs up', /connection failed \(ECONNRESET\)/],
      ['cut off', /ECONNRESET|aborted|cut off/],
      [status(500), /status 500/],
      [status(503), /status 503/],
      [status(429), /too many requests/],
      [status(302), /not followed/],
      [status(400), /status 400/],
      [status(403), /refuses .* \(403\)/],
    ] as const) {
      // A token that is refused is asked for once more.
      const troubles = [trouble, trouble, trouble, trouble];
      // A short limit only where it is what ends the wait: on a busy machine every answer may take as long.
      const limitMs = trouble === 'silent' || trouble === 'drips' ? 200 : undefined;
      const { asked } = await ask(service, { userData: 'text', troubles }, limitMs);
      assert.equal(asked.kind, 'unanswered', JSON.stringify(asked));
      assert.match(asked.kind === 'unanswered' ? asked.why : '', why);
    }
  });

  test(`${service.title} cannot fill the memory`, async () => {
    const body = 'A'.repeat(configLimits.bytes * 2);
    const headers = service.answersWith ? { [service.answersWith[0]]: service.answersWith[1] } : {};
    const large = { status: 200, headers, body };
    const { asked } = await ask(service, { troubles: service.token ? [large] : [large] });
    assert.equal(asked.kind, 'unusable');
    assert.match(asked.kind === 'unusable' ? asked.why : '', /larger than \d+ bytes/);
  });
}

test('a token that is no longer taken is fetched anew, once', async () => {
  const expired = { status: 200, body: 'an-old-token' };
  const { asked, requests } = await ask(named('aws'), { userData: 'text', troubles: [expired] });
  assert.deepEqual(asked, { kind: 'given', bytes: Buffer.from('text') });
  assert.equal(requests.length, 4);
  const always = Array.from({ length: 4 }, (_, index) => (index % 2 === 0 ? expired : { status: 401 }));
  const refused = await ask(named('aws'), { userData: 'text', troubles: always });
  assert.equal(refused.asked.kind, 'unanswered');
  assert.equal(refused.requests.length, 4);
});

test('what is given as a token may be no header of ours, and is not repeated', async () => {
  for (const body of ['a\r\nx: y', '', '<html>secret page</html>\0', 'ä']) {
    const { asked, requests } = await ask(named('aws'), { troubles: [{ status: 200, body }] });
    assert.deepEqual(asked, { kind: 'unanswered', why: 'what it gives as a token is none' });
    assert.equal(requests.length, 1);
  }
});

test('a service that is switched off, or asks for patience, is told so', async () => {
  const off = await ask(named('aws'), { troubles: [{ status: 403 }] });
  assert.deepEqual(off.asked, { kind: 'unanswered', why: 'it refuses the request for a token (403)' });
  for (const [said, retryAfterMs] of [
    ['7', 7_000],
    ['99999', 60_000],
  ] as const) {
    const { asked } = await ask(named('hetzner'), {
      troubles: [{ status: 429, headers: { 'retry-after': said } }],
    });
    assert.equal(asked.kind === 'unanswered' ? asked.retryAfterMs : undefined, retryAfterMs);
  }
});

test('somebody else at the address of Google is not taken for Google', async () => {
  const { asked } = await ask(named('gcp'), { troubles: [{ status: 200, body: 'kind: Machine' }] });
  assert.match(asked.kind === 'unanswered' ? asked.why : '', /not the metadata service of Google Cloud/);
});

test('what should be base64 and is not cannot be used', async () => {
  for (const name of ['azure', 'oracle']) {
    const { asked } = await ask(named(name), { troubles: [{ status: 200, body: '<html>' }] });
    assert.equal(asked.kind, 'unusable');
  }
});

test('an address where nothing listens is no answer', async () => {
  const fake = await startMetadata(named('hetzner'));
  await fake[Symbol.asyncDispose]();
  const asked = await askService(fake.service, { timeoutMs: 1_000 });
  assert.deepEqual(asked, { kind: 'unanswered', why: 'it refuses connections' });
});

test('a plain server is not taken for one that should speak TLS', async () => {
  await using fake = await startMetadata(named('equinix-metal'), { userData: 'text' });
  const asked = await askService({ ...fake.service, tls: true }, { timeoutMs: 2_000 });
  assert.equal(asked.kind, 'unanswered');
  assert.deepEqual(fake.asked, []);
});

test('Scaleway is asked from a port below 1024', { skip: !isRoot && 'needs root' }, async () => {
  await using fake = await startMetadata(named('scaleway'), { userData: 'text' });
  // So many that some find their port taken, or lingering from a round before.
  for (let round = 0; round < 10; round++) {
    const asked = await Promise.all(
      Array.from({ length: 20 }, () => askService(fake.service, { timeoutMs: 5_000 })),
    );
    for (const each of asked) assert.equal(each.kind, 'given', JSON.stringify(each));
  }
});

test('whatever a service answers, there is an answer and no exception', async () => {
  const trouble = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    body: fc.string({ maxLength: 50 }),
    headers: fc.constantFrom({}, { 'metadata-flavor': 'Google' }, { 'retry-after': '-1' }, { location: '/' }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...metadataServices),
      fc.array(trouble, { minLength: 1, maxLength: 4 }),
      async (service, troubles) => {
        const { asked } = await ask(service, { userData: 'text', troubles });
        assert.ok(['given', 'none', 'unanswered', 'unusable'].includes(asked.kind));
      },
    ),
    { numRuns: 60 },
  );
});
