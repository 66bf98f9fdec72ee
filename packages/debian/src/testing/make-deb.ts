import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile, run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import type { LockedPackage } from '../lock/lock.ts';

/** Builds a real package with dpkg-deb and tells how a lock would name it. */
export async function makeDeb(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ path: string; locked: LockedPackage }> {
  const dir = await scratchFolder('deb');
  const tree = join(dir, 'tree');
  const control = `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: Test <test@localhost>\nDescription: test\n`;
  for (const [path, content] of Object.entries({ 'DEBIAN/control': control, ...files })) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const path = join(dir, `${name}.deb`);
  await run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, path]);
  const about = {
    name,
    version: '1',
    source: name,
    sourceVersion: '1',
    archive: 'debian',
    suite: 'trixie',
  } as const;
  return {
    path,
    locked: { ...about, path: `pool/main/${name}_1_all.deb`, ...(await hashFile(path)), why: 'a test' },
  };
}
