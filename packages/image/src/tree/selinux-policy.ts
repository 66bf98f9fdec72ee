import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { Toolbox } from '@plinth/toolbox';
import type { SelinuxSpec } from '../spec/selinux-spec.ts';

/** The newest policy format kernel 6.12 reads; the tools write a newer one by default. */
const POLICY_VERSION = 33;

export interface SelinuxSources extends SelinuxSpec {
  /** The unpacked selinux-policy-default. */
  readonly packageDir: string;
  /** os/selinux, with the own modules. */
  readonly folder: string;
}

/**
 * buildSelinuxPolicy compiles modules of the reference policy and Plinth's own into a loadable policy, as the package's
 * script would.
 * @param output folder that receives `default`, the contents of /etc/selinux/default with policy and contexts
 * @throws image/spec-invalid, host/command-failed
 */
export async function buildSelinuxPolicy(
  sources: SelinuxSources,
  output: string,
  toolbox: Toolbox,
): Promise<void> {
  const modulesDir = join(sources.packageDir, 'usr/share/selinux/default');
  const reference = await findModules(modulesDir, sources.reference);
  const store = join(output, 'store');
  await mkdir(join(store, 'etc/selinux/default/policy'), { recursive: true });
  await mkdir(join(store, 'var/lib/selinux/default'), { recursive: true });
  await cp(join(sources.packageDir, 'etc/selinux/default'), join(store, 'etc/selinux/default'), {
    recursive: true,
  });
  await writeFile(
    join(output, 'semanage.conf'),
    [
      'module-store = direct',
      // The compiler refuses a policy that a neverallow rule forbids: those of the reference policy, and posture.cil.
      'expand-check = 1',
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
      ...reference.map((file) => `--install=/mnt/reference/${file}`),
      // Above the reference policy's, so that a file context of ours wins over one of the same pattern.
      '--priority=400',
      ...sources.own.map((file) => `--install=/mnt/own/${file}`),
    ],
    {
      binds: [
        { host: store, inside: '/mnt/store' },
        { host: modulesDir, inside: '/mnt/reference', readOnly: true },
        { host: sources.folder, inside: '/mnt/own', readOnly: true },
        { host: join(output, 'semanage.conf'), inside: '/etc/selinux/semanage.conf', readOnly: true },
      ],
    },
  );
  await cp(join(store, 'etc/selinux/default'), join(output, 'default'), { recursive: true });
  await rm(store, { recursive: true });
  await rm(join(output, 'semanage.conf'));
}

/** The files of the wanted modules; the package compresses some. */
async function findModules(modulesDir: string, wanted: readonly string[]): Promise<string[]> {
  const files = await readdir(modulesDir);
  return wanted.map((name) => {
    const file = files.find((each) => each === `${name}.pp` || each === `${name}.pp.bz2`);
    if (file !== undefined) return file;
    throw new PlinthError(
      'image/spec-invalid',
      `Cannot compile the SELinux policy: the reference policy has no module "${name}", expected one of ${files.length}`,
    );
  });
}
