import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('../', import.meta.url));
const binaries = join(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json'), '../../../.bin');

function buf(...args: string[]): string {
  const env = { ...process.env, PATH: `${binaries}${delimiter}${process.env['PATH'] ?? ''}` };
  return execFileSync(join(binaries, 'buf'), args, { cwd: packageFolder, env, encoding: 'utf8' });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort();
}

test('the contract passes buf lint and is formatted', () => {
  assert.equal(buf('lint'), '');
  assert.equal(buf('format', '--diff', '--exit-code'), '');
});

test('the committed code is what the contract generates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-gen-'));
  try {
    buf('generate', '--output', folder);
    const fresh = join(folder, 'src', 'gen');
    const committed = join(packageFolder, 'src', 'gen');
    assert.deepEqual(filesBelow(committed), filesBelow(fresh));
    for (const file of filesBelow(fresh)) {
      const same = readFileSync(join(fresh, file)).equals(readFileSync(join(committed, file)));
      assert.ok(same, `${file} is stale: run "npm run generate -w @plinth/api"`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
