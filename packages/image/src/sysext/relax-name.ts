import { dirname } from 'node:path';
import type { Toolbox } from '@plinth/toolbox';

/**
 * systemd wants extension-release.<name> to carry the image's name. For a drive that is the kernel's name of the device,
 * "vdb", for a file whatever it is stored under; this attribute lets any name pass (os-release(5), "extension-release").
 */
const RELAXED = 'user.extension-release.strict';

/** relaxName sets the attribute; Node has no call for it. @param releasePath the extension-release file */
export async function relaxName(toolbox: Toolbox, releasePath: string): Promise<void> {
  const program = 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], b"0")';
  const inside = releasePath.replace(dirname(releasePath), '/mnt/release');
  await toolbox.run('python3', ['-c', program, inside, RELAXED], {
    binds: [{ host: dirname(releasePath), inside: '/mnt/release' }],
  });
}
