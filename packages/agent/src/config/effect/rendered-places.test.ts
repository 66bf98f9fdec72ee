import assert from 'node:assert/strict';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { allKinds, configLimits, parseConfig, renderConfig } from '@plinth/config';
import { RUNTIME_FLAGS } from '../../build/runtime-flags.ts';

const allowed = RUNTIME_FLAGS.filter((flag) => flag.startsWith('--allow-fs-write=')).map((flag) =>
  flag.slice('--allow-fs-write='.length),
);

function mayWrite(path: string): boolean {
  return allowed.some((each) => (each.endsWith('*') ? path.startsWith(each.slice(0, -1)) : path === each));
}

test('plinthd may write every file that a machine config makes, and the name it has until it is whole', () => {
  const text = allKinds.map(({ example }) => example).join('---\n');
  assert.ok(text.length < configLimits.bytes);
  const read = parseConfig(Buffer.from(text), 'examples');
  assert.ok(read.ok, JSON.stringify(read));
  const files = renderConfig(read.value);
  assert.ok(files.length > 0);
  for (const { path } of files) {
    assert.ok(mayWrite(path), path);
    assert.ok(mayWrite(join(dirname(path), `.${basename(path)}.plinth`)), `the work file of ${path}`);
  }
});
