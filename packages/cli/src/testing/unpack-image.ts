import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** unpackImage puts the one layer of an OCI archive into a folder, and tells how and as whom its process is started. */
export function unpackImage(
  archive: string,
  folder: string,
): { readonly root: string; readonly entrypoint: readonly string[]; readonly user: string } {
  const [layout, root] = [join(folder, 'layout'), join(folder, 'root')];
  for (const dir of [layout, root]) mkdirSync(dir);
  execFileSync('tar', ['-xf', archive, '-C', layout]);
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
  const manifest = json(blobPath(layout, json(join(layout, 'index.json')).manifests[0].digest));
  execFileSync('tar', ['-xpf', blobPath(layout, manifest.layers[0].digest), '-C', root]);
  const { config } = json(blobPath(layout, manifest.config.digest));
  return { root, entrypoint: config.Entrypoint, user: config.User };
}

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}
