import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasEdge } from './edges.ts';

test('a release is reached from the versions it names, from any where it names none', () => {
  assert.equal(hasEdge('1.2.0', []), true);
  assert.equal(hasEdge('1.10.0', ['>=1.7.0']), true, 'versions are compared as versions, not as text');
  assert.equal(hasEdge('1.6.9', ['>=1.7.0']), false);
  assert.equal(hasEdge('2.0.0', ['>=1.7.0 <2.0.0']), false);
  assert.equal(hasEdge('1.9.9', ['>=1.7.0 <2.0.0']), true);
  assert.equal(hasEdge('1.6.5', ['>=1.7.0', '=1.6.5']), true);
  assert.equal(hasEdge('1.6.5', ['1.6.5']), true);
});

test('what cannot be read holds for no version', () => {
  for (const range of ['^1.2', '>= 1.7', '>=', '', '~>1', '>=1.7.0 || <1'])
    assert.equal(hasEdge('1.9.0', [range]), false, range);
  assert.equal(hasEdge('', ['>=1.0']), false, 'a node that does not say its version');
});
