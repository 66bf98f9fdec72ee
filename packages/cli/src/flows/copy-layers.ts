import { constants } from 'node:fs';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ioError } from '@plinth/host';
import type { BuiltLayer } from '@plinth/image';

/**
 * copyLayers puts built layers with their papers into a folder, each file whole or not at all; gives them with their new
 * paths. @throws host/disk-full, host/io
 */
export async function copyLayers(layers: readonly BuiltLayer[], output: string): Promise<BuiltLayer[]> {
  const folder = resolve(output);
  try {
    await mkdir(folder, { recursive: true });
    const copy = async (path: string): Promise<string> => {
      const target = join(folder, basename(path));
      await copyFile(path, `${target}.new`, constants.COPYFILE_FICLONE);
      await rename(`${target}.new`, target);
      return target;
    };
    const copied: BuiltLayer[] = [];
    for (const layer of layers) {
      const sbom = basename(layer.papersPath).replace(/\.layer\.json$/, '.spdx.json');
      await copy(join(dirname(layer.papersPath), sbom));
      copied.push({ ...layer, path: await copy(layer.path), papersPath: await copy(layer.papersPath) });
    }
    return copied;
  } catch (reason) {
    throw ioError(reason, `write layers to ${folder}`);
  }
}
