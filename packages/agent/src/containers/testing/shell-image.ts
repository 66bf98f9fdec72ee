import { spawnSync } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { type TarEntry, writeTar } from '@plinth/formats';

const FOLDERS = ['bin', 'dev', 'etc', 'host', 'lib', 'lib64', 'proc', 'run', 'sys', 'tmp'];
const PROGRAMS = ['bash', 'cat', 'id', 'ls', 'mkdir', 'mknod', 'readlink', 'sleep', 'stty', 'touch', 'uname'];

/**
 * shellLayer is the root file system of an image with a shell, made of the programs of this machine: an image that can be run
 * without a registry elsewhere. Undefined where the programs are not there.
 */
export async function shellLayer(): Promise<Uint8Array | undefined> {
  const files = new Map<string, string>();
  for (const name of PROGRAMS) {
    const path = `/bin/${name}`;
    const { status, stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
    if (status !== 0) return undefined;
    files.set(`bin/${name}`, path);
    // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)", and the loader by its path alone.
    for (const [, library = ''] of stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm))
      files.set(`${library.includes('ld-linux') ? 'lib64' : 'lib'}/${basename(library)}`, library);
  }
  const entries: TarEntry[] = [
    ...FOLDERS.map((path) => ({ kind: 'directory', path, mode: path === 'tmp' ? 0o1777 : 0o755 }) as const),
    { kind: 'symlink', path: 'bin/sh', target: 'bash' },
  ];
  for (const [path, source] of files)
    entries.push({ kind: 'file', path, mode: 0o755, data: await readFile(await realpath(source)) });
  return writeTar(
    entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    { mtimeSeconds: 0 },
  );
}
