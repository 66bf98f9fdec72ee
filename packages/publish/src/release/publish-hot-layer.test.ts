import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exists } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { formatHotLayer, type HotLayer, hotLayerManifestOf, hotLayerNames } from '@plinth/updates';
import { publishHotLayer } from './publish-hot-layer.ts';

const LAYER: HotLayer = {
  ...{ format: 1, name: 'hot-layer', architecture: 'x86-64', serial: 1 },
  base: { name: 'plinth', version: '1.4.2', rootHash: 'a'.repeat(64) },
  created: '2026-11-22T00:00:00.000Z',
  fixes: [{ package: 'libssl3t64', from: '3.5.7-1', to: '3.5.7-2' }],
  advisories: [],
  replaced: [{ path: '/usr/lib/x86_64-linux-gnu/libssl.so.3', before: 'b'.repeat(64) }],
  added: [],
};

test('an image without its manifest, or under another name, leaves the repository as it was', async () => {
  const dir = await scratchFolder('publish-hot-layer');
  const repoDir = join(dir, 'repo');
  const image = async (folder: string, name: string) => {
    await mkdir(join(dir, folder));
    const path = join(dir, folder, name);
    await writeFile(path, 'image');
    return path;
  };
  const refused = (imagePath: string, message: RegExp) =>
    assert.rejects(publishHotLayer({ repoDir, keysDir: join(dir, 'keys'), imagePath }), {
      code: 'hot-layer/invalid',
      message,
    });
  await refused(await image('alone', hotLayerNames(LAYER).image), /its manifest beside it/);
  const renamed = await image('renamed', 'mine.sysext.raw');
  await writeFile(hotLayerManifestOf(renamed), formatHotLayer(LAYER));
  await refused(renamed, /the names it was built with/);
  assert.equal(await exists(repoDir), false);
});
