import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { hashText } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import {
  changeRule,
  initUpdateKeys,
  publishHotLayer,
  publishRelease,
  readTrustedRoot,
  serveRepository,
} from '@plinth/publish';
import { writeSampleFiles } from '@plinth/publish/testing';
import { formatHotLayer, hotLayerNames, REPOSITORY, TRUSTED_ROOT_PATH } from '@plinth/updates';
import { memoryStore } from '../sys/state-store.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { fetchNewest, findNewest } from './fetch-hot-layer.ts';
import { layerOfSerial } from './model-node.testing.ts';
import { storeHotLayer } from './receive-hot-layer.ts';

// What `plinth hot-layer publish` puts into a repository, fetched by a node that has only the root of its image.

const scratch = await scratchFolder('hot-repository');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repository')];

suite('hot layers of a repository', () => {
  let server: Awaited<ReturnType<typeof serveRepository>>;
  let trustedRoot: Uint8Array;
  /** Larger than what is fetched at once. */
  const image = randomBytes(5 * 1024 * 1024 + 4096);
  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (reason: unknown) => (reason instanceof PlinthError ? reason.code : reason),
    );
  const fetchIt = (version = '1.4.2') =>
    fetchNewest(
      {
        sys: fakeSys({
          files: { [TRUSTED_ROOT_PATH]: trustedRoot },
          modifiedAtMs: { [TRUSTED_ROOT_PATH]: Date.now() - 60_000 },
          nowMs: Date.now(),
        }),
        store: memoryStore('a test'),
        source: { addresses: [server.url], channel: 'stable' },
        pauseMs: 1,
        signal: new AbortController().signal,
      },
      version,
    );
  const publish = async (serial: number, content: Uint8Array) => {
    const names = hotLayerNames(layerOfSerial(serial));
    const folder = join(scratch, `layer-${serial}-${hashText(content).slice(0, 6)}`);
    await mkdir(folder);
    await writeFile(join(folder, names.image), content);
    await writeFile(join(folder, names.manifest), formatHotLayer(layerOfSerial(serial)));
    return publishHotLayer({ repoDir, keysDir, imagePath: join(folder, names.image) });
  };

  before(async () => {
    await mkdir(keysDir);
    await initUpdateKeys(keysDir);
    trustedRoot = await readTrustedRoot(keysDir);
    const releaseDir = join(scratch, '1.4.2');
    await writeSampleFiles(releaseDir, { version: '1.4.2' });
    await publishRelease({ repoDir, keysDir, channel: 'stable', releaseDir });
    server = await serveRepository({ repoDir });
  });
  after(() => server.close());

  test('a repository without one says so', async () => {
    assert.equal(await codeOf(fetchIt()), 'hot-layer/none-published');
  });

  test('the highest serial of the version is fetched as it was published', async () => {
    await publish(1, Buffer.from('first'));
    const { files } = await publish(12, image);
    assert.deepEqual(
      files.map(({ isNew }) => isNew),
      [true, true],
    );
    const { incoming, close } = await fetchIt();
    assert.equal(incoming.layer.serial, 12);
    const folder = join(scratch, 'node');
    const stored = await storeHotLayer(fakeSys({ usage: { availableBytes: 1e12 } }), incoming, folder);
    close();
    assert.deepEqual(await readFile(join(folder, `${stored.sha256}.raw`)), image);
    assert.equal(await codeOf(fetchIt('1.4.3')), 'hot-layer/none-published');
  });

  test('publishing it again is no change, and other bytes under its name are refused', async () => {
    const again = await publishHotLayer({
      ...{ repoDir, keysDir },
      imagePath: join(
        scratch,
        `layer-12-${hashText(image).slice(0, 6)}`,
        hotLayerNames(layerOfSerial(12)).image,
      ),
    });
    assert.deepEqual(
      again.files.map(({ isNew }) => isNew),
      [false, false],
    );
    assert.equal(await codeOf(publish(12, Buffer.from('other'))), 'publish/release-differs');
  });

  test('a server that changes the image leaves nothing on the node', async () => {
    const path = join(repoDir, REPOSITORY.targets, hotLayerNames(layerOfSerial(12)).image);
    const changed = Buffer.from(image);
    changed[4_500_000] = (changed[4_500_000] ?? 0) ^ 1;
    await writeFile(path, changed);
    const { incoming, close } = await fetchIt();
    const folder = join(scratch, 'deceived');
    const stored = storeHotLayer(fakeSys({ usage: { availableBytes: 1e12 } }), incoming, folder);
    assert.equal(await codeOf(stored), 'hot-layer/invalid');
    close();
    await writeFile(path, image);
  });

  test('one that is blocked in the channel is no longer taken', async () => {
    const block = (reason: string | undefined) =>
      changeRule(
        { repoDir, keysDir, channel: 'stable' },
        { rule: 'block', version: '1.4.2-12', ...(reason !== undefined && { reason }) },
      );
    await block('breaks name resolution');
    const { incoming, close } = await fetchIt();
    assert.equal(incoming.layer.serial, 1);
    close();
    await block(undefined);
    await assert.rejects(
      changeRule(
        { repoDir, keysDir, channel: 'stable' },
        { rule: 'block', version: '1.4.2-13', reason: 'x' },
      ),
      (error) => error instanceof PlinthError && error.code === 'publish/not-published',
    );
  });

  test('what the channel blocks is passed over', () => {
    const target = (name: string) => ({ name, sizeBytes: 1, sha256: '' });
    const newest = (blocked: readonly string[]) =>
      findNewest({ target }, '1.4.2', new Set(blocked))?.image.name;
    assert.equal(newest([]), 'hot-layer_1.4.2-999_x86-64.sysext.raw');
    assert.equal(newest(['1.4.2-999']), 'hot-layer_1.4.2-998_x86-64.sysext.raw');
  });
});
