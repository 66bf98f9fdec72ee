import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { codeOf } from './code-of.ts';

test('a refusal is told by its code, anything else that is thrown by its words', async () => {
  const refusal = new PlinthError('host/locked', 'Cannot lock it: it is locked, expected nobody');
  assert.equal(await codeOf(Promise.resolve(1)), 'ok');
  assert.equal(await codeOf(Promise.reject(refusal)), 'host/locked');
  assert.equal(await codeOf(Promise.reject(new TypeError('broken'))), 'TypeError: broken');
});
