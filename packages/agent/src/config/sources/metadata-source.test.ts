import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSys } from '../../testing/fake-sys.ts';
import type { Asked } from './ask-service.ts';
import { detectService } from './detect-service.ts';
import { openMetadataSource } from './metadata-source.ts';
import { metadataServices } from './services.ts';

const dmi = (field: string, text: string) => ({ [`/sys/class/dmi/id/${field}`]: `${text}\n` });
const hetzner = fakeSys({ files: dmi('sys_vendor', 'Hetzner') });

for (const service of metadataServices) {
  test(`a machine of ${service.title} is known by each word of its firmware`, async () => {
    for (const { field, is } of service.dmi)
      for (const word of is) {
        const files = { ...dmi('sys_vendor', 'QEMU'), ...dmi(field, word) };
        assert.equal((await detectService(fakeSys({ files })))?.name, service.name, word);
      }
  });
}

test('machines of nobody, and firmware that says nothing or less, are of no cloud', async () => {
  for (const files of [
    {},
    { ...dmi('sys_vendor', 'QEMU'), ...dmi('product_name', 'Standard PC (Q35 + ICH9, 2009)') },
    dmi('sys_vendor', 'Hetzner Online'),
    dmi('product_name', 'hetzner'),
  ])
    assert.equal(await detectService(fakeSys({ files })), undefined);
  const broken = { '/sys/class/dmi/id/sys_vendor': 'EIO' };
  assert.equal(await detectService(fakeSys({ broken })), undefined);
});

/** A source whose service answers as listed, then with user data; and what it was asked with. */
function source(answers: readonly Asked[], sys = hetzner) {
  const left = [...answers];
  const timeouts: number[] = [];
  const clock = { nowMs: 0 };
  const opened = openMetadataSource(sys, {
    ask: async (_, { timeoutMs }) => {
      timeouts.push(timeoutMs);
      return left.shift() ?? { kind: 'given', bytes: Buffer.from('text') };
    },
    nowMs: () => clock.nowMs,
    retryMs: 1,
  });
  return { opened, timeouts, clock };
}

const silent: Asked = { kind: 'unanswered', why: 'there is no route to it yet' };

test('a machine of no cloud asks nobody', async () => {
  const { opened, timeouts } = source([], fakeSys({}));
  assert.equal(await opened.read(false), undefined);
  assert.deepEqual(timeouts, []);
});

test('a round tries some times; with something else to go by it tries once and briefly', async () => {
  const patient = source([silent, silent]);
  assert.equal((await patient.opened.read(false))?.asked.kind, 'given');
  assert.equal(patient.timeouts.length, 3);
  const hurried = source([silent]);
  assert.deepEqual((await hurried.opened.read(true))?.asked, silent);
  assert.equal(hurried.timeouts.length, 1);
  assert.ok((hurried.timeouts[0] ?? 0) < (patient.timeouts[0] ?? 0));
});

test('rounds without an answer are further and further apart, and end with one', async () => {
  const { opened, timeouts, clock } = source(Array.from({ length: 30 }, () => silent));
  const rounds: number[] = [];
  let known = 0;
  for (; clock.nowMs < 400_000 && (await opened.read(false))?.asked.kind !== 'given'; clock.nowMs += 1_000) {
    if (timeouts.length > known) rounds.push(clock.nowMs / 1_000);
    known = timeouts.length;
  }
  assert.deepEqual(rounds, [0, 5, 15, 35, 75, 135, 195, 255, 315, 375]);
  assert.equal(rounds.length, 10);
});

test('a service that asks for patience gets it', async () => {
  const { opened, timeouts, clock } = source([{ ...silent, retryAfterMs: 30_000 }]);
  assert.equal((await opened.read(false))?.asked.kind, 'unanswered');
  clock.nowMs = 29_000;
  assert.equal((await opened.read(false))?.asked.kind, 'unanswered');
  assert.equal(timeouts.length, 1);
  clock.nowMs = 30_000;
  assert.equal((await opened.read(false))?.asked.kind, 'given');
});

test('a round ends early when plinthd stops', async () => {
  const stopping = new AbortController();
  stopping.abort();
  const opened = openMetadataSource(hetzner, { ask: async () => silent, signal: stopping.signal });
  assert.deepEqual((await opened.read(false))?.asked, silent);
});
