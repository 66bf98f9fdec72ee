import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientReach } from './client-reach.ts';

test('a client is lost when its open connection gives no answer to a ping for the limit', async () => {
  let nowMs = 0;
  let answer: ((failed: Error | null) => void) | undefined;
  const session = {
    closed: false,
    destroyed: false,
    ping: (callback: (failed: Error | null) => void) => {
      answer = callback;
      return true;
    },
  };
  const reach = clientReach(session, () => nowMs, 10_000);
  assert.equal(await reach.lost(), false);
  answer?.(null);
  nowMs = 60_000;
  assert.equal(await reach.lost(), false, 'a ping that was answered is past; a new one is on its way');
  nowMs += 9_999;
  assert.equal(await reach.lost(), false);
  nowMs += 1;
  assert.equal(await reach.lost(), true);
  session.closed = true;
  assert.equal(await reach.lost(), false, 'a client that hung up says nothing about the way');
});
