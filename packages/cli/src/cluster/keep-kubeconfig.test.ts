import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorthKeeping } from './keep-kubeconfig.ts';

const DAY_MS = 24 * 60 * 60_000;
const now = new Date('2026-11-22T00:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * DAY_MS);

test('a kubeconfig is kept until its last day: nodes give them for a week, and each call must not ask for another', () => {
  assert.equal(isWorthKeeping(inDays(7), now), true);
  assert.equal(isWorthKeeping(inDays(2), now), true);
  assert.equal(isWorthKeeping(inDays(0.9), now), false);
  assert.equal(isWorthKeeping(inDays(-1), now), false);
  assert.equal(isWorthKeeping(undefined, now), false, 'one whose end cannot be read');
});
