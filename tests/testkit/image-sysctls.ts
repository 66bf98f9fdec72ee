import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** imageSysctls reads what os/sysctl.d sets, later files last, as systemd-sysctl would. */
export async function imageSysctls(osDir: string): Promise<ReadonlyMap<string, string>> {
  const folder = join(osDir, 'sysctl.d');
  const settings = new Map<string, string>();
  for (const name of (await readdir(folder)).sort()) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      const [, key, value] = /^([a-z][^=#\s]*)\s*=\s*(.*\S)\s*$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) settings.set(key, value);
    }
  }
  return settings;
}
