import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { certainSkewMs, readPeerClocks } from './peer-clocks.ts';

test('certainSkewMs never says more than there is, and misses no more than the answer took', () => {
  const time = fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 });
  const span = fc.integer({ min: 0, max: 20_000 });
  fc.assert(
    fc.property(time, fc.integer({ min: -1e7, max: 1e7 }), span, span, (sentMs, skewMs, thereMs, backMs) => {
      // The server reads its clock somewhere between, and tells whole seconds.
      const dateMs = Math.floor((sentMs + thereMs + skewMs) / 1000) * 1000;
      const seen = certainSkewMs(dateMs, sentMs, sentMs + thereMs + backMs);
      assert.ok(Math.abs(seen) <= Math.abs(skewMs), `${seen} of ${skewMs}`);
      assert.ok(Math.abs(skewMs) - Math.abs(seen) <= thereMs + backMs + 1000);
      assert.ok(seen === 0 || Math.sign(seen) === Math.sign(skewMs));
    }),
  );
  assert.ok(Number.isNaN(certainSkewMs(Number.NaN, 0, 1)));
});

test('readPeerClocks needs one answer, and none where there is nobody to ask', async () => {
  const sys = { nowMs: Date.now };
  const question = { caPem: '', timeoutMs: 500 };
  assert.deepEqual(await readPeerClocks(sys, { ...question, servers: [] }), []);
  // Port 1 of loopback: nothing listens.
  await assert.rejects(
    readPeerClocks(sys, { ...question, servers: ['127.0.0.1:1', 'nonsense'] }),
    /no answer of 127/,
  );
});
