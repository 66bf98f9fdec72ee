import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheDir } from '@plinth/host';

// What "plinth migrate check" takes for granted of volumes: they lie on /var, which is noexec, and the crun of the image
// mounts them into containers without that flag. A crun that keeps it would break every workload that starts programs
// from an emptyDir, and the check would have to say so.

const HELPER = join(import.meta.dirname, '../testkit/volume-in-container.ts');
const tree = newestTree();
const obstacle =
  process.getuid?.() !== 0
    ? 'only root may mount'
    : tree === undefined && 'no image was built on this machine';

test('a program in a volume starts in the container, though the host would not start it', {
  skip: obstacle,
  timeout: 60_000,
}, () => {
  const root = mkdtempSync(join(tmpdir(), 'plinth-check-volume-'));
  try {
    const answer = execFileSync(
      'unshare',
      ['--mount', '--propagation', 'private', process.execPath, HELPER, tree ?? '', root],
      { encoding: 'utf8' },
    );
    const seen = JSON.parse(answer) as Record<'host' | 'container' | 'error' | 'options', unknown>;
    assert.equal(seen.host, 126, 'the host started it: the folder was not noexec');
    assert.equal(seen.container, 0, String(seen.error));
    assert.doesNotMatch(String(seen.options), /noexec/);
  } finally {
    rmdirSync(root);
  }
});

function newestTree(): string | undefined {
  const stages = join(cacheDir(), 'stages');
  if (!existsSync(stages)) return undefined;
  return readdirSync(stages)
    .filter((name) => name.startsWith('tree-'))
    .map((name) => join(stages, name, 'root'))
    .filter((path) => existsSync(join(path, 'usr/bin/crun')))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}
