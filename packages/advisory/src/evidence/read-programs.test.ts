import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Inventory } from '../model/index.ts';
import { evaluatePredicate, readPrograms } from './index.ts';

// The program that runs this test is an ELF file that is linked dynamically: real, and on every machine.
const node = new Uint8Array(await readFile(process.execPath));
const files = new Map<string, Uint8Array | undefined>([
  ['/usr/bin/node', node],
  ['/usr/bin/script', new TextEncoder().encode('#!/bin/sh\n')],
  ['/usr/bin/broken', node.slice(0, 4096)],
  ['/usr/bin/huge', undefined],
]);
const image: Inventory = {
  format: 1,
  subject: { kind: 'root', name: 'x', architecture: 'amd64', distribution: '', codename: '' },
  inputs: [],
  binaries: [],
  goPrograms: [],
  npmModules: [],
  gaps: [],
};

test('readPrograms tells imports of real programs, and which files could not be read', async () => {
  const facts = await readPrograms([...files.keys()], { read: async (path) => files.get(path) });
  const imports = facts.elf?.get('/usr/bin/node');
  assert.ok(imports);
  assert.ok(imports.needed.some((name) => name.startsWith('libc.so')));
  assert.ok(imports.symbols.has('memcpy') && imports.loadsByName);
  assert.deepEqual([...(facts.elf?.keys() ?? [])], ['/usr/bin/node']);
  assert.deepEqual([...facts.unread].sort(), ['/usr/bin/broken', '/usr/bin/huge']);
});

test('symbols of a library: imported, not imported, and not known', async () => {
  const read = async (path: string) => files.get(path);
  const clean = await readPrograms(['/usr/bin/node', '/usr/bin/script'], { read });
  const ask = (symbol: string, library: string, programs = clean) =>
    evaluatePredicate(
      { kind: 'symbol-not-imported', library, symbols: [symbol] },
      image,
      new Date(0),
      programs,
    ).holds;
  assert.equal(ask('memcpy', 'libc.so.6'), 'no');
  assert.equal(ask('SSL_no_such_thing', 'libssl.so.3'), 'yes');
  assert.equal(ask('getpw_no_such_thing', 'libc.so.6'), 'unknown', 'node looks symbols of libc up by name');
  const holes = await readPrograms([...files.keys()], { read });
  assert.equal(ask('SSL_no_such_thing', 'libssl.so.3', holes), 'unknown');
});
