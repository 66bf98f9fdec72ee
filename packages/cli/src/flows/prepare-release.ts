import { link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, ioError, removeTree } from '@plinth/host';
import { BOOT_FILES, releaseNames } from '@plinth/image';
import type { CommandContext } from '../framework/context.ts';
import { buildDisk } from './build-disk.ts';

/**
 * prepareRelease builds the image for the boot tests, signed with keys of their own: nobody's real keys are used, and
 * they have no passphrase. Gives the environment in which the tests find both, see tests/testkit/boot-lab.ts.
 * @throws what buildDisk throws
 */
export async function prepareRelease(
  context: CommandContext,
): Promise<{ readonly PLINTH_TEST_RELEASE: string; readonly PLINTH_TEST_KEYS: string }> {
  const root = join(cacheDir(), 'test');
  const [keys, folder] = [join(root, 'keys'), join(root, 'release')];
  const env = { ...context.env, PLINTH_KEYS_PASSPHRASE: undefined };
  const built = await buildDisk({ keys, passphraseFile: undefined, frozen: false }, { ...context, env });
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
  } catch (reason) {
    throw ioError(reason, `prepare the release in ${folder}`);
  }
  return { PLINTH_TEST_RELEASE: folder, PLINTH_TEST_KEYS: keys };
}
