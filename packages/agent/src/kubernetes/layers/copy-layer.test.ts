import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeSys } from '../../sys/node-sys.ts';
import { copyLayer } from './copy-layer.ts';
import type { Layer } from './layer-store.ts';

test('a layer of a drive becomes a file with the same bytes; a file stays what it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-copy-'));
  try {
    const drive = join(folder, 'drive');
    const bytes = randomBytes(5_000_001);
    await writeFile(drive, bytes);
    const layer: Layer = { version: '1.36.4', source: 'drive', path: drive, active: false, sizeBytes: 0 };
    const copy = await copyLayer(nodeSys(), layer, join(folder, 'layers'));
    assert.deepEqual([copy.source, copy.sizeBytes], ['staged', bytes.length]);
    assert.ok(bytes.equals(await readFile(copy.path)));
    assert.equal(await copyLayer(nodeSys(), copy, join(folder, 'layers')), copy);
    await assert.rejects(
      copyLayer(nodeSys(), { ...layer, path: join(folder, 'none') }, join(folder, 'layers')),
    );
    assert.deepEqual(await readdir(join(folder, 'layers')), ['kubernetes-1.36.4.raw']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
