// How large the image is, and which packages make it so: node bench/size.ts
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { silentProgress } from '@plinth/base';
import { readLock } from '@plinth/debian';
import { cacheDir } from '@plinth/host';
import { BOOT_FILES, type BuiltImage } from '@plinth/image';
import { openBenchFolder } from './lib/bench-folder.ts';
import { REPOSITORY_OS_DIR } from './lib/build-plinth.ts';
import { printTable, printTargets } from './lib/figures.ts';
import { plinthImage } from './lib/plinth-image.ts';

interface Weight {
  files: number;
  bytes: number;
  compressedBytes: number;
}

const SHOWN = 15;

await using folder = await openBenchFolder();
const image = await plinthImage(
  { osDir: REPOSITORY_OS_DIR, stagesDir: join(cacheDir(), 'stages'), keysDir: folder.keysDir },
  silentProgress,
);
const { packages } = await readLock(join(REPOSITORY_OS_DIR, 'plinth.lock.json'));
const disk = await stat(image.diskPath);

printTable(
  'Sizes',
  ['what', 'MB'],
  [
    ['root image, EROFS with zstd', megabytes(image.root.sizeBytes)],
    ['hash tree', megabytes((await stat(image.root.hashTreePath)).size)],
    ['UKI', megabytes((await stat(join(image.bootDir, BOOT_FILES.uki))).size)],
    ['initrd in it', megabytes((await stat(image.initrdPath)).size)],
    ['disk, as it looks', megabytes(disk.size)],
    ['disk, what it takes', megabytes(disk.blocks * 512)],
  ],
);
const weights = [...(await weigh(image))].sort(([, a], [, b]) => b.compressedBytes - a.compressedBytes);
printTable(
  `The ${SHOWN} heaviest of ${weights.length} packages with files in the root; compressed file by file, for comparison`,
  ['package', 'MB compressed', 'MB', 'files'],
  weights
    .slice(0, SHOWN)
    .map(([name, weight]) => [
      name,
      megabytes(weight.compressedBytes),
      megabytes(weight.bytes),
      weight.files,
    ]),
);
printTargets([
  { what: 'root image', value: image.root.sizeBytes / 1e6, atMost: 160, unit: 'MB' },
  { what: 'packages', value: packages.length, atMost: 120, unit: 'packages' },
]);

/** How much of the root each package makes up; "plinth" is what the build itself adds, plinthd first of all. */
async function weigh({ tree }: BuiltImage): Promise<Map<string, Weight>> {
  const weights = new Map<string, Weight>();
  for await (const path of filesBelow(tree.root)) {
    const owner = tree.owners.get(path.slice(tree.root.length)) ?? 'plinth';
    const weight = weights.get(owner) ?? { files: 0, bytes: 0, compressedBytes: 0 };
    weights.set(owner, weight);
    weight.files += 1;
    const data = await readFile(path);
    weight.bytes += data.length;
    weight.compressedBytes += compressedSize(data);
  }
  return weights;
}

/** Links are not followed: each file is met once. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/** The level of the root image; its clusters and block ends add a little to this. */
function compressedSize(data: Uint8Array): number {
  return zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }).length;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
