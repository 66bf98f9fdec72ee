import { parseKeyValues } from '../kernel/key-values.ts';
import { readText, type Sys } from '../sys/sys.ts';

export const SYSTEMCTL = '/usr/bin/systemctl';
export const CONTAINERD = '/usr/bin/containerd';

/** What runs, as it reports itself; "" where the source does not exist. */
export interface Versions {
  readonly imageId: string;
  readonly imageVersion: string;
  readonly osPrettyName: string;
  readonly supportEnd: string;
  readonly kernelRelease: string;
  readonly kernelBuild: string;
  readonly architecture: string;
  readonly systemd: string;
  readonly containerd: string;
}

/** collectVersions asks os-release, the kernel, systemd and containerd. Never throws for one that is absent. */
export async function collectVersions(sys: Sys): Promise<Versions> {
  const release = await osRelease(sys);
  const kernel = async (name: string) => (await readText(sys, `/proc/sys/kernel/${name}`)) ?? '';
  return {
    imageId: release.get('IMAGE_ID') ?? '',
    imageVersion: release.get('IMAGE_VERSION') ?? '',
    osPrettyName: release.get('PRETTY_NAME') ?? '',
    supportEnd: release.get('SUPPORT_END') ?? '',
    kernelRelease: await kernel('osrelease'),
    kernelBuild: await kernel('version'),
    architecture: await kernel('arch'),
    systemd: parseSystemdVersion(await firstLine(sys, SYSTEMCTL)),
    containerd: parseContainerdVersion(await firstLine(sys, CONTAINERD)),
  };
}

/** imageVersion is the version of the system that runs, as its own root names it; "" where that does not say. */
export async function imageVersion(sys: Pick<Sys, 'readFile'>): Promise<string> {
  return (await osRelease(sys)).get('IMAGE_VERSION') ?? '';
}

async function osRelease(sys: Pick<Sys, 'readFile'>): Promise<ReadonlyMap<string, string>> {
  return parseKeyValues((await readText(sys, '/usr/lib/os-release')) ?? '');
}

/** "systemd 257 (257.13-1~deb13u1)" gives "257.13-1~deb13u1": the packaged version says more than the release. */
export function parseSystemdVersion(line: string): string {
  const [, release = '', packaged] = /^systemd (\S+)(?: \((\S+)\))?/.exec(line) ?? [];
  return packaged ?? release;
}

/** "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6" gives "1.7.24~ds1". */
export function parseContainerdVersion(line: string): string {
  return /^containerd \S+ v?(\S+)/.exec(line)?.[1] ?? '';
}

async function firstLine(sys: Sys, program: string): Promise<string> {
  try {
    return (await sys.run(program, ['--version'])).stdout.split('\n')[0] ?? '';
  } catch {
    return ''; // the program is not there or does not run: no version, and health says more
  }
}
