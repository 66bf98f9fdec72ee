import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, copyFile, cp, mkdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuiltHotLayer, buildHotLayer } from '@plinth/image';
import type { Signer } from '@plinth/trust';
import type { HotLayer } from '@plinth/updates';
import type { BootLab } from './boot-lab.ts';
import { openDisk } from './disk-copy.ts';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const osDir = fileURLToPath(new URL('../../os/', import.meta.url));

/** The root of the release under test, unpacked, from which layers with changed libraries are made. */
export interface BaseTree {
  readonly folder: string;
  /** Of the root, as the booted node tells it. */
  readonly rootHash: string;
}

/** unpackRoot unpacks the root file system of the release's disk. */
export async function unpackRoot(lab: BootLab, rootHash: string): Promise<BaseTree> {
  const folder = join(lab.scratch, 'base-tree');
  const image = join(lab.scratch, 'base.erofs');
  await mkdir(folder);
  const disk = await openDisk(lab.release.diskPath);
  const { offsetBytes, sizeBytes } = disk.partitionByNumber(2);
  await rm(image, { force: true });
  const piece = 64 * 1024 * 1024;
  for (let at = 0; at < sizeBytes; at += piece)
    await appendFile(image, await disk.read(offsetBytes + at, Math.min(piece, sizeBytes - at)));
  await lab.toolbox.run('fsck.erofs', ['--extract=/mnt/tree', '--overwrite', `/mnt/in/${basename(image)}`], {
    binds: [
      { host: dirname(image), inside: '/mnt/in', readOnly: true },
      { host: folder, inside: '/mnt/tree' },
    ],
  });
  await rm(image);
  return { folder, rootHash };
}

/** What a layer of a test is. */
export interface HotLayerRecipe {
  /** Package and its library: the name of the link that programs are linked to, "libseccomp.so.2". */
  readonly fixes: Readonly<Record<string, string>>;
  readonly key: Signer;
  readonly previous?: HotLayer;
}

/**
 * makeHotLayer builds a layer by the builder itself, whose libraries are those of the release with other bytes: what is
 * appended to an ELF file is not part of any segment, so that it works as before and is another file all the same.
 */
export async function makeHotLayer(
  lab: BootLab,
  base: BaseTree,
  name: string,
  { fixes, key, previous }: HotLayerRecipe,
): Promise<BuiltHotLayer> {
  const folder = join(lab.scratch, `hot-${name}`);
  const treeDir = join(folder, 'tree');
  await mkdir(join(treeDir, LIBRARIES), { recursive: true });
  await cp(join(base.folder, 'etc/selinux'), join(treeDir, 'etc/selinux'), { recursive: true });
  const packages = Object.keys(fixes);
  const files = await Promise.all(
    Object.entries(fixes).map(async ([owner, link]) => {
      const from = join(base.folder, LIBRARIES, link);
      const target = await readlink(from).catch(() => link);
      const path = `${LIBRARIES}/${target}`;
      const [before, after] = [join(base.folder, path), join(treeDir, path)];
      await copyFile(before, after);
      await appendFile(after, `fixed by ${name}\n`);
      return { path, owner, before: await describe(before), after: await describe(after) };
    }),
  );
  const facts = (which: 'before' | 'after', version: string) => ({
    version: lab.release.version,
    packages: packages.map((each) => ({ name: each, version, source: each, sourceVersion: version })),
    files: files.map(({ path, owner, ...each }) => ({
      path,
      owner,
      kind: 'file' as const,
      mode: 0o644,
      ...each[which],
    })),
  });
  return buildHotLayer({
    ...{ osDir, toolbox: lab.toolbox, key, packages, advisories: ['PLSA-TEST'], previous },
    base: { ...facts('before', '1'), name: 'plinth', rootHash: base.rootHash, treeDir: base.folder },
    next: { ...facts('after', '2'), treeDir },
    epochSeconds: 1_763_700_000,
    outDir: join(folder, 'out'),
  });
}

async function describe(path: string): Promise<{ sizeBytes: number; sha256: string }> {
  const { size } = await stat(path);
  assert.ok(size > 0, path);
  return {
    sizeBytes: size,
    sha256: createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  };
}
