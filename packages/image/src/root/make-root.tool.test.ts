import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { removeTree } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import { digestFolder } from '../build/digest-folder.ts';
import { makeRootFilesystem } from './make-root.ts';

const BLOCK_BYTES = 4096;
const CONTEXTS = '/.*  system_u:object_r:etc_t:s0\n/lib/.*  system_u:object_r:lib_t:s0\n';

suite('the layout of the root file system', () => {
  let folder: string;
  let toolbox: Toolbox;
  let image: Buffer;

  before(async () => {
    toolbox = await openToolbox();
    folder = await mkdtemp(join(tmpdir(), 'plinth-root-'));
    await mkdir(join(folder, 'contexts'));
    await writeFile(join(folder, 'contexts/file_contexts'), CONTEXTS);
    await writeTree(join(folder, 'tree'));
    image = await pack('tree');
  });
  after(() => removeTree(folder));

  async function pack(tree: string): Promise<Buffer> {
    const output = join(folder, `${tree}.out`);
    await mkdir(output);
    const fileContextsDir = join(folder, 'contexts');
    await makeRootFilesystem(join(folder, tree), output, {
      toolbox,
      epochSeconds: 1_700_000_000,
      seed: 'test',
      fileContextsDir,
    });
    return readFile(join(output, 'root.erofs'));
  }

  async function changed(name: string, change: (tree: string) => Promise<void>): Promise<number> {
    await cp(join(folder, 'tree'), join(folder, name), { recursive: true, verbatimSymlinks: true });
    await change(join(folder, name));
    const known = new Set(blocks(image));
    return blocks(await pack(name)).filter((block) => !known.has(block)).length;
  }

  test('holds the tree bit by bit and labelled, by the judgement of fsck.erofs', async () => {
    const binds = [{ host: folder, inside: '/mnt/root' }];
    const extract = ['--extract=/mnt/root/extracted', '--xattrs', '/mnt/root/tree.out/root.erofs'];
    await toolbox.run('fsck.erofs', extract, { binds });
    assert.equal(await digestFolder(join(folder, 'extracted')), await digestFolder(join(folder, 'tree')));
    const files = ['etc/text-7', 'lib/large', 'lib/deep/deeper/file'].map(
      (path) => `/mnt/root/extracted/${path}`,
    );
    const { stdout } = await toolbox.run('stat', ['--format=%C', ...files], { binds });
    const label = (type: string) => `system_u:object_r:${type}:s0`;
    assert.deepEqual(stdout.toString('utf8').trim().split('\n'), ['etc_t', 'lib_t', 'lib_t'].map(label));
  });

  test('is the same twice', async () => {
    await cp(join(folder, 'tree'), join(folder, 'again'), { recursive: true, verbatimSymlinks: true });
    assert.ok((await pack('again')).equals(image));
  });

  test('a longer text changes its block and its inode', async () => {
    const count = await changed('text', (tree) => writeFile(join(tree, 'etc/text-7'), 'x'.repeat(900)));
    assert.ok(count <= 2, `${count} blocks`);
  });

  test('a new file changes itself and what names it', async () => {
    const count = await changed('new', (tree) => writeFile(join(tree, 'lib/new'), 'new'));
    assert.ok(count <= 8, `${count} blocks`);
  });

  test('a library that grows changes its own blocks and the inodes of its group', async () => {
    const before = noise('lib-11', 60_000);
    const count = await changed('library', (tree) =>
      writeFile(join(tree, 'lib/lib-11'), Buffer.concat([noise('other', 9_000), before])),
    );
    // 69,000 bytes that do not compress are 17 blocks.
    assert.ok(count <= 17 + 3, `${count} blocks`);
  });
});

async function writeTree(root: string): Promise<void> {
  for (const name of ['etc', 'lib', 'lib/deep/deeper']) await mkdir(join(root, name), { recursive: true });
  for (let index = 0; index < 200; index++) {
    await writeFile(join(root, `etc/text-${index}`), `${'some words of a text '.repeat(index)}\n`);
  }
  // Half of it compresses, as programs do.
  for (let index = 0; index < 60; index++) {
    const half = noise(`lib-${index}`, 1000 * index);
    await writeFile(
      join(root, `lib/lib-${index}`),
      Buffer.concat([half, Buffer.alloc(half.length, 'code ')]),
    );
  }
  await writeFile(join(root, 'lib/lib-11'), noise('lib-11', 60_000));
  await writeFile(
    join(root, 'lib/large'),
    Buffer.concat([noise('large', 3_000_000), Buffer.alloc(9_000_000, 'abc')]),
  );
  await writeFile(join(root, 'lib/deep/deeper/file'), 'deep');
  await writeFile(join(root, 'lib/empty'), '');
  await symlink('../lib/lib-3', join(root, 'etc/link'));
}

/** Bytes that do not compress, always the same for a name. */
function noise(name: string, sizeBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; index * 64 < sizeBytes; index++) {
    parts.push(createHash('sha512').update(`${name} ${index}`).digest());
  }
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

function blocks(image: Buffer): string[] {
  const count = Math.ceil(image.length / BLOCK_BYTES);
  return Array.from({ length: count }, (_, index) =>
    createHash('sha256')
      .update(image.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES))
      .digest('base64'),
  );
}
