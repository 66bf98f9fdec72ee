import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Toolbox } from '@plinth/toolbox';

/** The newest policy format kernel 6.12 reads; the tools write a newer one by default. */
const POLICY_VERSION = 33;

/**
 * buildSelinuxPolicy compiles the reference policy's modules into a loadable policy, as the package's script would.
 * @param packageDir the unpacked selinux-policy-default
 * @param output folder that receives etc/selinux/default with policy and contexts
 */
export async function buildSelinuxPolicy(
  packageDir: string,
  output: string,
  toolbox: Toolbox,
): Promise<void> {
  const modulesDir = join(packageDir, 'usr/share/selinux/default');
  const modules = (await readdir(modulesDir)).filter((name) => /\.pp(\.bz2)?$/.test(name)).sort();
  const store = join(output, 'store');
  await mkdir(join(store, 'etc/selinux/default/policy'), { recursive: true });
  await mkdir(join(store, 'var/lib/selinux/default'), { recursive: true });
  await cp(join(packageDir, 'etc/selinux/default'), join(store, 'etc/selinux/default'), { recursive: true });
  await writeFile(
    join(output, 'semanage.conf'),
    [
      'module-store = direct',
      'expand-check = 0',
      `policy-version = ${POLICY_VERSION}`,
      // The store is thrown away: compressing its modules took half of the time and changes nothing in the policy.
      'bzip-blocksize = 0',
      '',
    ].join('\n'),
  );
  await toolbox.run(
    'semodule',
    [
      '--path=/mnt/store',
      '--store=default',
      '--noreload',
      '--priority=100',
      ...modules.map((name) => `--install=/mnt/modules/${name}`),
    ],
    {
      binds: [
        { host: store, inside: '/mnt/store' },
        { host: modulesDir, inside: '/mnt/modules', readOnly: true },
        { host: join(output, 'semanage.conf'), inside: '/etc/selinux/semanage.conf', readOnly: true },
      ],
    },
  );
  await cp(join(store, 'etc/selinux/default'), join(output, 'default'), { recursive: true });
  await rm(store, { recursive: true });
  await rm(join(output, 'semanage.conf'));
}
