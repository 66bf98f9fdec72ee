import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError, silentProgress } from '@plinth/base';
import { openStageCache, stageKey } from '@plinth/host';
import { buildFlags, TARGET } from './go-command.ts';
import { digestComponent, loadGoComponents, programNames } from './go-component.ts';
import { readGoToolchainKey } from './go-tools.ts';
import { goComponentSource } from './provide-go-components.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const goDir = join(repository, 'go');

test('what was compiled before is found with nothing but the lock of the toolchain', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-components-'));
  try {
    // A folder with the lock and without the list of packages: no toolbox could be made from it.
    const lockDir = join(dir, 'lock');
    await mkdir(lockDir);
    await copyFile(join(repository, 'os/go-tools.lock.json'), join(lockDir, 'go-tools.lock.json'));
    const cache = openStageCache(join(dir, 'stages'));
    const component = (await loadGoComponents(goDir)).get('containerd');
    assert.ok(component);
    const key = stageKey('go-containerd', {
      files: await digestComponent(component),
      toolchain: await readGoToolchainKey(lockDir),
      target: TARGET,
      flags: buildFlags(component),
      packages: component.packages,
    });
    const stage = join(cache.root, `go-containerd-${key}`);
    await mkdir(stage, { recursive: true });
    for (const name of programNames(component)) await writeFile(join(stage, name), name);
    await writeFile(join(stage, 'modules.json'), '{}');

    const compile = goComponentSource({ goDir, lockDir, cache });
    const found = await compile(['containerd', 'containerd'], silentProgress);
    assert.deepEqual([...found.keys()], ['containerd']);
    assert.equal(found.get('containerd')?.programs.get('plinth-images'), join(stage, 'plinth-images'));
    await assert.rejects(
      compile(['nothing'], silentProgress),
      (error: unknown) =>
        error instanceof PlinthError &&
        error.code === 'image/spec-invalid' &&
        /containerd/.test(error.message),
    );
  } finally {
    await rm(dir, { recursive: true });
  }
});
