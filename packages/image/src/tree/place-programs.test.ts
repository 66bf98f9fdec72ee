import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import type { BuiltGoComponent } from '../go/build-go-component.ts';
import { findPrograms, placePrograms } from './place-programs.ts';

const tool = { from: 'example/tool', path: '/usr/bin/tool', reason: 'an example' };

function built(programs: Record<string, string>): Map<string, BuiltGoComponent> {
  const component = {
    name: 'example',
    version: '1.0.0',
    moduleDir: '/nowhere',
    modFile: 'go.mod',
    tags: [],
    variables: {},
    packages: [],
    isTests: false,
    cpuSeconds: { compile: 1, link: 1 },
  };
  return new Map([
    ['example', { component, key: 'k', programs: new Map(Object.entries(programs)), modules: {} }],
  ]);
}

test('findPrograms finds what the spec names, and tells what it has instead', () => {
  assert.deepEqual(findPrograms([tool], built({ tool: '/built/tool' })), [
    { from: 'example/tool', path: '/usr/bin/tool', source: '/built/tool' },
  ]);
  for (const components of [built({ other: '/built/other' }), new Map<string, BuiltGoComponent>()]) {
    assert.throws(
      () => findPrograms([tool], components),
      (error: unknown) => error instanceof PlinthError && error.code === 'image/spec-invalid',
    );
  }
});

test('placePrograms makes an executable file, and takes no place that a package has', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-programs-'));
  try {
    await writeFile(join(dir, 'built'), 'program', { mode: 0o600 });
    const programs = [{ from: 'example/tool', path: '/usr/bin/tool', source: join(dir, 'built') }];
    await placePrograms(join(dir, 'root'), programs);
    const path = join(dir, 'root/usr/bin/tool');
    assert.equal(await readFile(path, 'utf8'), 'program');
    assert.equal((await stat(path)).mode & 0o777, 0o755);
    await assert.rejects(
      placePrograms(join(dir, 'root'), programs),
      (error: unknown) => error instanceof PlinthError && error.code === 'image/file-conflict',
    );
  } finally {
    await rm(dir, { recursive: true });
  }
});
