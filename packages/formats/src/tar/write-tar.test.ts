import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { encodeText } from '../bytes.ts';
import { type TarEntry, writeTar } from './write-tar.ts';

const mtimeSeconds = 1_763_700_000;

test('GNU tar unpacks what was written: contents, modes, links, time, long paths', () => {
  const long = `${'d'.repeat(120)}/${'f'.repeat(90)}`;
  const entries: TarEntry[] = [
    { kind: 'symlink', path: 'bin', target: 'usr/bin' },
    { kind: 'directory', path: 'usr', mode: 0o755 },
    { kind: 'directory', path: 'usr/bin', mode: 0o750 },
    { kind: 'file', path: 'usr/bin/x', mode: 0o555, data: encodeText('content') },
    { kind: 'file', path: long, mode: 0o644, data: new Uint8Array(1000).fill(7) },
  ];
  const folder = mkdtempSync(join(tmpdir(), 'plinth-tar-'));
  try {
    execFileSync('tar', ['-xp', '-C', folder], { input: writeTar(entries, { mtimeSeconds }) });
    assert.equal(readFileSync(join(folder, 'bin/x'), 'utf8'), 'content');
    assert.equal(statSync(join(folder, 'usr/bin/x')).mode & 0o7777, 0o555);
    assert.equal(statSync(join(folder, 'usr/bin')).mode & 0o7777, 0o750);
    assert.equal(statSync(join(folder, 'usr/bin/x')).mtimeMs, mtimeSeconds * 1000);
    assert.equal(readlinkSync(join(folder, 'bin')), 'usr/bin');
    assert.equal(readFileSync(join(folder, long)).length, 1000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the order given does not matter, and the archive is whole blocks', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-zäß][a-z0-9/]{0,20}[a-z]$/), { maxLength: 8 });
  fc.assert(
    fc.property(names, fc.uint8Array({ maxLength: 1500 }), (paths, data) => {
      const entries = paths
        .filter((path) => !path.includes('//'))
        .map((path): TarEntry => ({ kind: 'file', path, mode: 0o644, data }));
      const archive = writeTar(entries, { mtimeSeconds });
      assert.equal(archive.length % 512, 0);
      assert.deepEqual(writeTar(entries.toReversed(), { mtimeSeconds }), archive);
    }),
  );
});

test('paths that would leave the archive, collide or not fit are refused', () => {
  const file = (path: string): TarEntry => ({ kind: 'file', path, mode: 0o644, data: new Uint8Array() });
  const bad = [[file('../x')], [file('/x')], [file('a//b')], [file('a'), file('a')], [file('n'.repeat(300))]];
  const targets = ['', 't'.repeat(101)].map((target): TarEntry[] => [{ kind: 'symlink', path: 'l', target }]);
  for (const entries of [...bad, ...targets]) {
    assert.throws(
      () => writeTar(entries, { mtimeSeconds }),
      (error) => error instanceof PlinthError && error.code === 'formats/tar-invalid',
    );
  }
});
