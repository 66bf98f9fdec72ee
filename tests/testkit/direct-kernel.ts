import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readUki } from '@plinth/formats';
import type { DirectKernel } from '@plinth/local';

/**
 * extractKernel takes kernel, initrd and command line out of a UKI, for a machine whose firmware cannot start it.
 * @param folder receives the files
 */
export async function extractKernel(ukiPath: string, folder: string): Promise<DirectKernel> {
  const { linux, initrd, cmdline } = readUki(await readFile(ukiPath));
  assert.ok(initrd && cmdline !== undefined, `${ukiPath} has no initrd or no command line`);
  await mkdir(folder, { recursive: true });
  const direct = {
    kernel: join(folder, 'linux'),
    initrd: join(folder, 'initrd'),
    commandLine: cmdline.trim(),
  };
  await writeFile(direct.kernel, linux);
  await writeFile(direct.initrd, initrd);
  return direct;
}
