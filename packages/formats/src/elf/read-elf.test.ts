import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../bytes.ts';
import { buildElf, type ElfParts } from './elf-builder.testing.ts';
import { readElf } from './read-elf.ts';

const soname = fc.stringMatching(/^lib[a-z0-9+-]{1,20}\.so\.[0-9]{1,2}$/);
const partsArbitrary = fc.record(
  {
    bits: fc.constantFrom<32 | 64>(32, 64),
    bigEndian: fc.boolean(),
    interpreter: fc.constantFrom('/lib64/ld-linux-x86-64.so.2', '/lib/ld-musl.so.1'),
    needed: fc.uniqueArray(soname, { maxLength: 8 }),
    soname,
    notes: fc.constant([]),
  },
  { requiredKeys: ['bits', 'bigEndian', 'needed', 'notes'] },
);
const typical: ElfParts = {
  bits: 64,
  bigEndian: false,
  interpreter: '/lib64/ld-linux-x86-64.so.2',
  needed: ['libc.so.6'],
  soname: 'libdemo.so.1',
  notes: [
    { owner: 'GNU', type: 3, data: Uint8Array.of(0xab, 0xcd) },
    { owner: 'FDO', type: 0xcafe1a7e, data: encodeText('{"type":"deb","name":"demo","version":"1.2-3"}\0') },
    {
      owner: 'FDO',
      type: 0x407c0c0a,
      data: encodeText(
        '[{"soname":["libx.so.2","libx.so.1"],"feature":"x","priority":"suggested"},{"soname":["liby.so"]}]\0',
      ),
    },
  ],
  goBuildInfo: goBuildInfo(
    'go1.26.1',
    'path\texample.org/cmd\nmod\texample.org\tv1.2.3\t\ndep\tgolang.org/x/sys\tv0.30.0\th1:abc=\n' +
      'dep\texample.org/old\tv1.0.0\n=>\texample.org/new\tv1.1.0\th1:def=\nbuild\tCGO_ENABLED=0\nbuild\t-ldflags="-s -w"\n',
  ),
};

/** Go's inline form: magic, pointer size, flags, padding to 32, then two texts after their lengths. */
function goBuildInfo(version: string, modules: string): Uint8Array {
  const mark = new Uint8Array(16).fill(0x30);
  const framed = concatBytes([mark, encodeText(modules), mark]);
  const head = new Uint8Array(32);
  head.set(Buffer.from('\xff Go buildinf:', 'latin1'));
  head.set([8, 2], 14);
  const length = Uint8Array.of((framed.length & 0x7f) | 0x80, framed.length >> 7);
  return concatBytes([head, Uint8Array.of(version.length), encodeText(version), length, framed]);
}

test('readElf gives back what the file was built from, in both classes and byte orders', () => {
  fc.assert(
    fc.property(partsArbitrary, (parts) => {
      const elf = readElf(buildElf(parts));
      assert.ok(elf);
      assert.deepEqual(elf.needed, parts.needed);
      assert.equal(elf.soname, parts.soname);
      assert.equal(elf.interpreter, parts.interpreter);
      assert.equal(elf.bits, parts.bits);
      assert.equal(elf.hasDynamic, true);
    }),
  );
});

test('readElf reads build id, package note, dlopen note and Go modules', () => {
  const elf = readElf(buildElf(typical));
  assert.ok(elf);
  assert.equal(elf.buildId, 'abcd');
  assert.deepEqual(elf.package, { type: 'deb', name: 'demo', version: '1.2-3' });
  assert.deepEqual(elf.dlopen, [
    { feature: 'x', sonames: ['libx.so.2', 'libx.so.1'], priority: 'suggested' },
    { sonames: ['liby.so'], priority: 'recommended' },
  ]);
  assert.deepEqual(elf.go, {
    goVersion: 'go1.26.1',
    path: 'example.org/cmd',
    main: { path: 'example.org', version: 'v1.2.3' },
    modules: [
      { path: 'golang.org/x/sys', version: 'v0.30.0', sum: 'h1:abc=' },
      {
        path: 'example.org/old',
        version: 'v1.0.0',
        replacedBy: { path: 'example.org/new', version: 'v1.1.0', sum: 'h1:def=' },
      },
    ],
    settings: { CGO_ENABLED: '0', '-ldflags': '"-s -w"' },
  });
});

test('readElf reads the program this test runs in', async () => {
  const elf = readElf(await readFile(process.execPath), process.execPath);
  assert.ok(elf);
  assert.match(elf.interpreter ?? '', /ld-/);
  assert.ok(elf.needed.includes('libc.so.6'));
});

test('readElf knows what is not ELF', () => {
  assert.equal(readElf(encodeText('#!/bin/sh\n')), undefined);
  assert.equal(readElf(new Uint8Array()), undefined);
});

test('readElf answers damage with a value or a coded error, never with anything else', () => {
  const good = buildElf(typical);
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.integer({ min: 4, max: good.length }), damage, (length, changes) => {
      const bad = good.slice();
      for (const [offset, value] of changes) bad[offset] = value;
      try {
        readElf(bad.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof PlinthError && error.code.startsWith('formats/'), String(error));
      }
    }),
    { numRuns: 2000 },
  );
  assert.throws(() => readElf(good.subarray(0, 40)), { code: 'formats/truncated' });
});
