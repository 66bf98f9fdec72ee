import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError } from '@plinth/base';
import { memoryReader, readGpt } from '@plinth/formats';
import { hashFile, openStageCache } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { initKeys, loadKeys } from '@plinth/trust';
import { formatHotLayer, hotLayerNames, parseHotLayer } from '@plinth/updates';
import { type BuildHotLayerOptions, type BuiltHotLayer, buildHotLayer } from './build-hot-layer.ts';

// A hot layer of a real library in the hands of the tools that meet it on a node. What only a kernel can refuse is tried on
// booted nodes.

const LIB = '/usr/lib/x86_64-linux-gnu';
const osDir = fileURLToPath(new URL('../../../../os/', import.meta.url));

suite('a hot layer of a real library', () => {
  let toolbox: Toolbox;
  let dir: string;
  let options: Omit<BuildHotLayerOptions, 'outDir'>;
  let built: BuiltHotLayer;
  const tool = (program: string, ...args: string[]) =>
    toolbox.run(program, args, { binds: [{ host: dir, inside: '/mnt/work' }], cwd: '/mnt/work' });

  before(async () => {
    toolbox = await openToolbox();
    dir = await mkdtemp(join(tmpdir(), 'plinth-hot-layer-'));
    await initKeys(join(dir, 'keys'), {});
    const { signers } = await loadKeys(join(dir, 'keys'), {});
    const [base, next] = [await makeTree('base', ''), await makeTree('next', 'the fix')];
    const rootHash = 'a'.repeat(64);
    options = {
      ...{
        osDir,
        toolbox,
        key: signers.verity,
        packages: [],
        advisories: ['CVE-2026-1'],
        epochSeconds: 1_763_700_000,
      },
      base: { ...base.facts('1'), name: 'plinth', rootHash, treeDir: base.folder },
      next: { ...next.facts('2'), treeDir: next.folder },
      cache: openStageCache(join(dir, 'stages')),
    };
    built = await buildHotLayer({ ...options, outDir: join(dir, 'out') });
  });
  after(() => rm(dir, { recursive: true }));

  /** A tree with a loader, libc and a library of the toolbox, as an image has them. */
  async function makeTree(name: string, more: string) {
    const folder = join(dir, name);
    await mkdir(join(folder, LIB), { recursive: true });
    await mkdir(join(folder, 'usr/lib64'));
    await mkdir(join(folder, 'etc/selinux/default/contexts/files'), { recursive: true });
    const contexts = '/usr(/.*)? system_u:object_r:usr_t:s0\n';
    await writeFile(join(folder, 'etc/selinux/default/contexts/files/file_contexts'), contexts);
    for (const file of ['libc.so.6', 'ld-linux-x86-64.so.2', 'libselinux.so.1', 'libpcre2-8.so.0'])
      await cp(join(toolbox.root, LIB, file), join(folder, LIB, file), { dereference: true });
    await symlink('usr/lib64', join(folder, 'lib64'));
    await symlink(`..${LIB.slice(4)}/ld-linux-x86-64.so.2`, join(folder, 'usr/lib64/ld-linux-x86-64.so.2'));
    const path = `${LIB}/libselinux.so.1`;
    await appendFile(join(folder, path), more);
    const sha256 = createHash('sha256')
      .update(await readFile(join(folder, path)))
      .digest('hex');
    const facts = (version: string) => ({
      version: '1.4.2',
      packages: [{ name: 'libselinux1', version, source: 'libselinux', sourceVersion: version }],
      files: [{ path, kind: 'file' as const, mode: 0o644, sizeBytes: 1, owner: 'libselinux1', sha256 }],
    });
    return { folder, facts };
  }

  test('has the names of its base and serial, and a manifest beside it that is read as it was made', async () => {
    const { image, manifest } = hotLayerNames(built.layer);
    assert.deepEqual(
      [image, manifest].map((name) => join(dir, 'out', name)),
      [built.imagePath, built.manifestPath],
    );
    assert.deepEqual(parseHotLayer(await readFile(built.manifestPath, 'utf8'), manifest), built.layer);
    assert.deepEqual(built.layer.fixes, [{ package: 'libselinux1', from: '1', to: '2' }]);
  });

  test('holds the changed library and what it says of itself, and nothing else', async () => {
    const { partitions } = await readGpt(memoryReader(await readFile(built.imagePath)));
    assert.deepEqual(
      partitions.map(({ label }) => label),
      ['hot-1', 'hot-1_verity', 'hot-1_sig'],
    );
    const [root] = partitions;
    assert.ok(root);
    const bytes = (await readFile(built.imagePath)).subarray(
      root.offsetBytes,
      root.offsetBytes + root.sizeBytes,
    );
    await writeFile(join(dir, 'root.erofs'), bytes);
    await tool('fsck.erofs', '--extract=/mnt/work/unpacked', 'root.erofs');
    const read = (path: string) => readFile(join(dir, 'unpacked', path));
    assert.deepEqual(
      await read(`${LIB}/libselinux.so.1`),
      await readFile(join(dir, 'next', LIB, 'libselinux.so.1')),
    );
    assert.equal(
      (await read('usr/share/plinth/hot-layer/manifest.json')).toString(),
      formatHotLayer(built.layer),
    );
    const release = (await read('usr/lib/extension-release.d/extension-release.hot-layer'))
      .toString()
      .split('\n');
    for (const line of ['ID=plinth', 'VERSION_ID=1.4.2', `PLINTH_BASE_ROOT_HASH=${'a'.repeat(64)}`])
      assert.ok(release.includes(line), line);
    // With a level, every image of that level would take it.
    assert.ok(!release.some((line) => line.startsWith('SYSEXT_LEVEL=')));
  });

  test('systemd takes it where a signed root is demanded', async () => {
    const image = built.imagePath.slice(dir.length + 1);
    await tool('systemd-dissect', '--validate', '--image-policy=root=signed', image);
  });

  test('the same inputs give the same image, and the next layer goes on from it', async () => {
    const again = await buildHotLayer({
      ...options,
      cache: openStageCache(join(dir, 'other')),
      outDir: join(dir, 'again'),
    });
    assert.deepEqual(await hashFile(again.imagePath), await hashFile(built.imagePath));
    const next = await buildHotLayer({ ...options, previous: built.layer, outDir: join(dir, 'next-layer') });
    assert.equal(next.layer.serial, 2);
    const previous = {
      ...built.layer,
      fixes: [...built.layer.fixes, { package: 'libpcre2-8-0', from: '1', to: '2' }],
    };
    await assert.rejects(
      buildHotLayer({ ...options, previous, outDir: join(dir, 'lost') }),
      (error) => error instanceof PlinthError && error.code === 'hot-layer/not-cumulative',
    );
  });

  test('a file of other bytes than the release says of itself is not taken', async () => {
    const [file] = options.next.files;
    assert.ok(file);
    const next = { ...options.next, files: [{ ...file, sha256: 'f'.repeat(64) }] };
    await assert.rejects(
      buildHotLayer({ ...options, next, outDir: join(dir, 'other-bytes') }),
      (error) => error instanceof PlinthError && error.code === 'release/facts-invalid',
    );
  });

  test('a library that needs what neither base nor layer has does not pass the image policy', async () => {
    await rm(join(dir, 'base', LIB, 'libpcre2-8.so.0'));
    await assert.rejects(
      buildHotLayer({ ...options, cache: openStageCache(join(dir, 'third')), outDir: join(dir, 'bad') }),
      (error) =>
        error instanceof PlinthError &&
        error.code === 'policy/violations' &&
        /needs libpcre2-8\.so\.0/.test(error.diagnostics.map(({ message }) => message).join('\n')),
    );
  });
});
