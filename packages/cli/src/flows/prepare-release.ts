import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, ioError, removeTree } from '@plinth/host';
import { BOOT_FILES, releaseNames } from '@plinth/image';
import type { CommandContext } from '../framework/context.ts';
import { buildDisk } from './build-disk.ts';
import { buildLayers } from './build-kubernetes.ts';
import { imageReference } from './machine-reference.ts';

/**
 * prepareRelease builds the image and the Kubernetes layers for the boot tests, signed with keys of their own: nobody's
 * real keys are used, and they have no passphrase. Gives the environment in which the tests find all of it, see
 * tests/testkit/boot-lab.ts.
 * @throws what buildDisk and buildLayers throw
 */
export async function prepareRelease(
  context: CommandContext,
): Promise<Record<'PLINTH_TEST_RELEASE' | 'PLINTH_TEST_KEYS' | 'PLINTH_TEST_LAYERS', string>> {
  const root = join(cacheDir(), 'test');
  const [keys, folder, layersFolder] = [join(root, 'keys'), join(root, 'release'), join(root, 'layers')];
  const env = { ...context.env, PLINTH_KEYS_PASSPHRASE: undefined };
  const options = { keys, passphraseFile: undefined, frozen: false };
  const built = await buildDisk(options, { ...context, env });
  const layers = await buildLayers({ ...options, minors: [] }, { ...context, env });
  const { image } = built;
  const names = releaseNames(image.spec.name, image.version);
  const files = [
    [image.diskPath, names.disk('raw')],
    [join(image.bootDir, BOOT_FILES.uki), names.uki],
    [join(image.bootDir, BOOT_FILES.pcrs), names.pcrs],
  ] as const;
  try {
    await removeTree(folder);
    await mkdir(folder, { recursive: true });
    // Links, not copies: the tests copy what they change, and a disk is large.
    for (const [path, name] of files) await link(path, join(folder, name));
    await writeFile(join(folder, names.reference), await imageReference(image, built.keys));
    await removeTree(layersFolder);
    await mkdir(layersFolder);
    for (const { path, manifest } of layers.values())
      await link(path, join(layersFolder, `kubernetes-${manifest.kubernetes}.raw`));
  } catch (reason) {
    throw ioError(reason, `prepare the release in ${folder}`);
  }
  return { PLINTH_TEST_RELEASE: folder, PLINTH_TEST_KEYS: keys, PLINTH_TEST_LAYERS: layersFolder };
}
