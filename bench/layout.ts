// How many blocks of the root an update changes, library by library: node bench/layout.ts
import { chmod, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentProgress } from '@plinth/base';
import { type BlockReader, makeVerity, memoryReader } from '@plinth/formats';
import { cacheDir, removeTree, run } from '@plinth/host';
import { makeRootFilesystem } from '@plinth/image/testing';
import { openToolbox } from '@plinth/toolbox';
import { openBlockPacker, PACK_PAGE_BLOCKS, PACK_PAGE_BYTES } from '@plinth/updates';
import { openBenchFolder } from './lib/bench-folder.ts';
import { REPOSITORY_OS_DIR } from './lib/build-plinth.ts';
import { printTable, printTargets, type Row } from './lib/figures.ts';
import { plinthImage } from './lib/plinth-image.ts';

const BLOCK_BYTES = 4096;
const LIBRARIES = [
  'libacl.so.1',
  'libcap.so.2',
  'libelf.so.1',
  'libkmod.so.2',
  'libseccomp.so.2',
  'libmount.so.1',
];
const MORE = ['libgmp.so.10', 'libzstd.so.1', 'libnftables.so.1', 'libssl.so.3', 'libsystemd.so.0'];
const FOLDER = 'usr/lib/x86_64-linux-gnu';
/** In a file system this small all metadata lies before this block. */
const FIRST_DATA_BLOCK = 256;
const SALT = Buffer.alloc(32, 1);
const UUID = '00000000-0000-8000-8000-000000000000';

await using folder = await openBenchFolder();
const toolbox = await openToolbox();
const image = await plinthImage(
  { osDir: REPOSITORY_OS_DIR, stagesDir: join(cacheDir(), 'stages'), keysDir: folder.keysDir },
  silentProgress,
);
const base = await blocksOf(await pack('base', async () => {}));
const known = new Set(base.data);
let changed = 0;
let fetched = 0;
let wireBytes = 0;
const rows: Row[] = [];
for (const name of [...LIBRARIES, ...MORE]) {
  const path = (await realpath(join(image.tree.root, FOLDER, name))).slice(image.tree.root.length + 1);
  const library = await readFile(join(image.tree.root, path));
  const after = await blocksOf(await pack(name, (tree) => replace(join(tree, path), recompiled(library))));
  const missing = after.data.filter((block) => !known.has(block)).length;
  const tree = after.tree.filter((block, index) => block !== base.tree[index]).length;
  const own = await ownBlocks(name, library);
  changed += own;
  fetched += missing;
  const isMissing = (block: string) => !known.has(block);
  const isOther = (block: string, index: number) => block !== base.tree[index];
  const bytes = packedBytes(after.data, isMissing) + packedBytes(after.tree, isOther);
  wireBytes += bytes;
  rows.push([name, own, missing, tree, ((missing + tree) * BLOCK_BYTES) / 1024, Math.round(bytes / 1024)]);
}
printTable(
  'A library that changes in a third of its bytes and grows by 9 KB; blocks of 4 KiB',
  ['library', 'blocks it takes', 'not on the disk', 'of the hash tree', 'KiB', 'KiB compressed'],
  rows,
);
const largest = Math.max(...rows.map((row) => Number(row[4]))) * 1024;
printTargets([
  {
    what: 'blocks to fetch, to the blocks that libraries take',
    value: fetched / changed,
    atMost: 1.2,
    unit: 'x',
  },
  {
    what: 'on the wire, with the hash tree, to the blocks that libraries take',
    value: wireBytes / (changed * BLOCK_BYTES),
    atMost: 1.2,
    unit: 'x',
  },
  {
    what: 'largest update of one library',
    value: (100 * largest) / image.root.sizeBytes,
    atMost: 5,
    unit: '%',
  },
]);

/** What some blocks take as a node fetches them: compressed, with the pages of the index. */
function packedBytes(
  blocks: readonly string[],
  isFetched: (block: string, index: number) => boolean,
): number {
  const packer = openBlockPacker();
  const pages = new Set<number>();
  let bytes = 0;
  for (const [index, block] of blocks.entries()) {
    if (!isFetched(block, index)) continue;
    pages.add(Math.floor(index / PACK_PAGE_BLOCKS));
    bytes += packer.add(Buffer.from(block, 'latin1')).length;
  }
  bytes += pages.size * PACK_PAGE_BYTES;
  return bytes;
}

/** Packs the tree with a change. */
async function pack(name: string, change: (tree: string) => Promise<void>): Promise<Buffer> {
  const work = join(folder.scratch, name);
  const tree = join(work, 'tree');
  await mkdir(work);
  try {
    await run('cp', ['--archive', '--link', image.tree.root, tree]);
    await change(tree);
    await makeRootFilesystem(tree, work, { toolbox, epochSeconds: image.epochSeconds, seed: 'bench' });
    return await readFile(join(work, 'root.erofs'));
  } finally {
    await removeTree(work);
  }
}

/** Files are links into the cache: one that changes is another file. */
async function replace(path: string, data: Buffer): Promise<void> {
  await rm(path);
  await writeFile(path, data);
  await chmod(path, 0o644);
}

/** What a compiler may make of a small change: other bytes in the middle third, and 9 KB more. */
function recompiled(library: Buffer): Buffer {
  const bytes = Buffer.from(library);
  for (let at = Math.floor(bytes.length / 3); at < (2 * bytes.length) / 3; at += 37) {
    bytes[at] = ((bytes[at] ?? 0) * 7 + 13) & 255;
  }
  const [quarter, half] = [Math.floor(bytes.length / 4), Math.floor(bytes.length / 2)];
  const more = bytes.subarray(quarter, quarter + 9000).map((byte, at) => (at % 5 === 0 ? byte + at : byte));
  return Buffer.concat([bytes.subarray(0, half), more, bytes.subarray(half)]);
}

/** The blocks that the changed library takes, in a file system of its own. */
async function ownBlocks(name: string, library: Buffer): Promise<number> {
  const alone = async (data: Buffer) => {
    const work = join(folder.scratch, `${name}-alone`);
    await mkdir(join(work, 'tree'), { recursive: true });
    await writeFile(join(work, 'tree', 'library'), data);
    const fileContextsDir = join(image.tree.root, 'etc/selinux/default/contexts/files');
    const options = { toolbox, epochSeconds: image.epochSeconds, seed: 'bench', fileContextsDir };
    await makeRootFilesystem(join(work, 'tree'), work, options);
    const blocks = cut(await readFile(join(work, 'root.erofs')));
    await removeTree(work);
    return blocks.slice(FIRST_DATA_BLOCK);
  };
  const old = new Set(await alone(library));
  return (await alone(recompiled(library))).filter((block) => !old.has(block)).length;
}

async function blocksOf(bytes: Buffer): Promise<{ data: string[]; tree: string[] }> {
  const reader: BlockReader = memoryReader(bytes);
  const verity = await makeVerity(reader, { salt: SALT, uuid: UUID });
  return { data: cut(bytes), tree: cut(Buffer.from(verity.bytes)) };
}

function cut(bytes: Buffer): string[] {
  const count = Math.ceil(bytes.length / BLOCK_BYTES);
  return Array.from({ length: count }, (_, index) =>
    bytes.toString('latin1', index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
  );
}
