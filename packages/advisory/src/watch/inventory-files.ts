import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, hashText, ioError, isErrno, writeFileAtomic } from '@plinth/host';
import type { Inventory, KernelFacts } from '../model/index.ts';

/** An inventory as the watch keeps it: without its list of files, its kernel by digest, as releases share kernels. */
export interface StoredInventory {
  readonly name: string;
  readonly inventory: Inventory;
  /** Name of the file with the kernel's facts. */
  readonly kernel?: string;
}

/** storeInventory keeps what is in a subject, so that it can be judged again when the subject itself is gone. @throws host/io */
export async function storeInventory(folder: string, name: string, inventory: Inventory): Promise<void> {
  const { files: _files, kernel, ...rest } = inventory;
  const text = kernel === undefined ? undefined : JSON.stringify(kernel);
  const kernelName = text === undefined ? undefined : `kernel-${hashText(text).slice(0, 32)}.json`;
  if (text !== undefined && kernelName !== undefined && !(await exists(join(folder, kernelName)))) {
    await writeFileAtomic(join(folder, kernelName), text);
  }
  const stored = { name, inventory: rest, ...(kernelName === undefined ? {} : { kernel: kernelName }) };
  await writeFileAtomic(join(folder, `${name}.json`), JSON.stringify(stored));
}

/** readInventories reads all that the watch keeps; the files are its own. @throws host/io */
export async function readInventories(folder: string): Promise<StoredInventory[]> {
  const names = await readdir(folder).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list ${folder}`);
  });
  const wanted = names.filter((name) => name.endsWith('.json') && !name.startsWith('kernel-')).sort();
  return await Promise.all(
    wanted.map(async (name) => JSON.parse(await readText(join(folder, name))) as StoredInventory),
  );
}

/** readKernel reads the kernel of a stored inventory. @throws host/io */
export async function readKernel(folder: string, name: string): Promise<KernelFacts> {
  return JSON.parse(await readText(join(folder, name))) as KernelFacts;
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
}
