import { readFile } from 'node:fs/promises';
import type { TarEntry } from '@plinth/formats';
import { type OciArchive, writeOciArchive } from '../oci/write-oci-archive.ts';
import type { LayerImage } from './layer-spec.ts';

/** Folders that the runtime, or a pod, mounts something on. */
const FOLDERS = ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'var'];
/** As on the node, so that programs of its /usr find their loader and libraries. */
const USR_LINKS = ['bin', 'lib', 'lib64', 'sbin'];

/** imageReference is what pods call an image. The host name says that no registry has it. */
export function imageReference(name: string, version: string): string {
  return `plinth.local/${name}:${version}`;
}

/**
 * makeImageArchive puts one static program into a container image.
 * @param programPath the program on this machine; in the image it is /<name>
 */
export async function makeImageArchive(
  image: LayerImage,
  options: { readonly version: string; readonly programPath: string; readonly epochSeconds: number },
): Promise<OciArchive> {
  const { version, programPath, epochSeconds } = options;
  const entries: TarEntry[] = [
    ...FOLDERS.map((path) => ({ kind: 'directory', path, mode: path === 'tmp' ? 0o1777 : 0o755 }) as const),
    { kind: 'file', path: image.name, mode: 0o555, data: await readFile(programPath) },
  ];
  if (image.hostUsr) {
    entries.push({ kind: 'directory', path: 'usr', mode: 0o755 });
    for (const path of USR_LINKS) entries.push({ kind: 'symlink', path, target: `usr/${path}` });
  }
  const reference = imageReference(image.name, version);
  return writeOciArchive({
    reference,
    entries,
    entrypoint: image.entrypoint,
    user: image.user,
    epochSeconds,
  });
}
