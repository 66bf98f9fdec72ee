import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCycle, importsOf, resolveImport } from './import-graph.ts';

test('importsOf finds static, type-only, re-exported and dynamic imports', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type { B } from '../b.ts';",
    'import {',
    '  c,',
    '  d,',
    "} from '@plinth/base';",
    "export { e } from './e.ts';",
    "import './side.ts';",
    "const later = await import('./later.ts');",
    "const text = 'import nothing from here';",
  ].join('\n');
  assert.deepEqual(
    importsOf(text).map(({ specifier, typeOnly, eager }) => [specifier, typeOnly, eager]),
    [
      ['./a.ts', false, true],
      ['../b.ts', true, true],
      ['@plinth/base', false, true],
      ['./e.ts', false, true],
      ['./side.ts', false, true],
      ['./later.ts', false, false],
    ],
  );
});

test('resolveImport follows the folders of the importing file', () => {
  assert.equal(resolveImport('packages/x/src/a/b.ts', '../c.ts'), 'packages/x/src/c.ts');
});

test('findCycle names a circle and is silent without one', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ]);
  assert.deepEqual(findCycle(graph), ['b', 'd', 'b']);
  graph.set('d', ['c']);
  assert.equal(findCycle(graph), undefined);
});
