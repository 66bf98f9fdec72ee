import { copyFile, lstat, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError, type Progress } from '@plinth/base';
import { unpackAll } from '@plinth/debian';
import { exists, run } from '@plinth/host';
import { findIsolation } from './isolation.ts';
import { sandboxCommand } from './sandbox.ts';

/** Part of the key of every toolbox: raise it when the steps below change. */
export const BUILD_STEPS_VERSION = 1;

/**
 * buildRoot unpacks packages into the empty folder `root` without running their scripts, and does what those scripts
 * would have done for tools: library cache, users, the links of alternatives.
 * @throws toolbox/build-failed, toolbox/no-isolation, debian/package-corrupt, host/disk-full
 */
export async function buildRoot(
  root: string,
  debPaths: Iterable<string>,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  for (const folder of ['usr/bin', 'usr/lib', 'usr/lib64', 'usr/sbin', 'etc', 'var/tmp', 'var/lib/selinux']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await unpackAll(debPaths, root, { progress, signal });
  await requireMergedUsr(root);
  await progress.step('Finish the toolbox', () => finish(root, signal));
}

/** Since trixie every package keeps its files below /usr; one that does not would be cut off from the others. */
async function requireMergedUsr(root: string): Promise<void> {
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    if ((await lstat(join(root, name)).catch(() => undefined))?.isSymbolicLink()) continue;
    throw new PlinthError(
      'toolbox/build-failed',
      `Cannot use the toolbox: /${name} is no link into /usr, expected every package to keep its files there`,
    );
  }
}

async function finish(root: string, signal?: AbortSignal): Promise<void> {
  for (const name of ['passwd', 'group']) {
    await copyFile(join(root, `usr/share/base-passwd/${name}.master`), join(root, 'etc', name));
  }
  // Files that must be there to be bound over or to be asked for; empty is a right answer for each.
  for (const name of ['resolv.conf', 'machine-id']) await writeFile(join(root, 'etc', name), '');
  await link(root, 'usr/bin/mawk', 'usr/bin/awk');

  const isolation = await findIsolation(root, signal);
  const inside = async (program: string, ...args: string[]) => {
    const command = sandboxCommand({ root, isolation, writableRoot: true }, 'run', program, args);
    try {
      await run(command.program, command.args, { env: command.env, signal });
    } catch (reason) {
      if (reason instanceof PlinthError && reason.code !== 'host/command-failed') throw reason;
      throw PlinthError.from(reason, 'toolbox/build-failed', `Cannot finish the toolbox`);
    }
  };
  await inside('ldconfig');
  if (await exists(join(root, 'usr/bin/systemd-sysusers'))) await inside('systemd-sysusers');
  // Byte code is written where a module is first imported, which later the read-only root forbids.
  if (await exists(join(root, 'usr/bin/ukify'))) await inside('ukify', '--version');
  if (await exists(join(root, 'usr/bin/virt-fw-vars'))) await inside('virt-fw-vars', '--help');
}

/** Makes the link that update-alternatives would have made, unless a package brings the name itself. */
async function link(root: string, target: string, name: string): Promise<void> {
  if (!(await exists(join(root, target))) || (await exists(join(root, name)))) return;
  await symlink(`/${target}`, join(root, name));
}
