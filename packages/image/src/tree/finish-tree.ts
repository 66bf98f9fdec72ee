import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { Toolbox } from '@plinth/toolbox';
import type { TreeSpec } from '../spec/os-spec.ts';
import { replaceFile } from './apply-tree.ts';

/**
 * indexTree makes the indexes that depend on packages only: modules and libraries.
 * @returns the version of the kernel in the tree
 * @throws image/kernel-missing
 */
export async function indexTree(root: string, toolbox: Toolbox): Promise<string> {
  const versions = await readdir(join(root, 'usr/lib/modules')).catch(() => []);
  const [version] = versions;
  if (version === undefined || versions.length > 1) {
    throw new PlinthError(
      'image/kernel-missing',
      `Cannot assemble the tree: ${versions.length} kernels found, expected one`,
    );
  }
  const binds = [{ host: root, inside: '/mnt/root' }];
  await toolbox.run('depmod', ['--basedir', '/mnt/root', '--moduledir', '/usr/lib/modules', version], {
    binds,
  });
  return version;
}

/**
 * keepKernelConfig puts the configuration that the kernel was built with beside its modules, where the running system finds
 * it: the kernel itself does not tell it, and /boot is not in the image.
 * @param kernelPackage the unpacked package of the kernel
 */
export async function keepKernelConfig(root: string, kernelPackage: string, version: string): Promise<void> {
  const config = await readFile(join(kernelPackage, 'boot', `config-${version}`));
  await replaceFile(join(root, 'usr/lib/modules', version, 'config'), config);
}

/**
 * finishTree makes what depends on the configuration: users, enabled units, the library cache.
 * These are the tools that maintainer scripts would have called; they run at build, never on the node.
 */
export async function finishTree(root: string, toolbox: Toolbox, spec: TreeSpec): Promise<void> {
  const binds = [{ host: root, inside: '/mnt/root' }];
  await toolbox.run('systemd-sysusers', ['--root=/mnt/root'], { binds });
  await toolbox.run('systemctl', ['--root=/mnt/root', 'preset-all'], { binds });
  await toolbox.run('systemctl', ['--root=/mnt/root', 'set-default', spec.units.default], { binds });
  await toolbox.run('ldconfig', ['-r', '/mnt/root'], { binds });
  for (const name of ['passwd-', 'group-', 'shadow-', 'gshadow-', '.pwd.lock', '.updated']) {
    await rm(join(root, 'etc', name), { force: true });
  }
  // systemd-sysusers gives them mode 0, which keeps a build without root from reading its own files. On the node only
  // root, which needs no permission, reads them either way.
  for (const name of ['shadow', 'gshadow']) await chmod(join(root, 'etc', name), 0o400);
  // ldconfig and others leave caches there; /var belongs to the node.
  await rm(join(root, 'var'), { recursive: true, force: true });
  await mkdir(join(root, 'var'), { mode: 0o755 });
}
