import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, hashText, ioError, isErrno, writeFileAtomic } from '@plinth/host';
import { z } from 'zod';
import { parseBoundedJson, readBounded } from '../documents/read-file.ts';
import type { Inventory, KernelFacts } from '../model/index.ts';

/** An inventory as the watch keeps it: without its list of files, its kernel by digest, as releases share kernels. */
export interface StoredInventory {
  readonly name: string;
  readonly inventory: Inventory;
  /** Name of the file with the kernel's facts. */
  readonly kernel?: string;
}

const outline = z.object({
  name: z.string().max(400),
  inventory: z.object({
    subject: z.object({ version: z.string().max(200).optional(), rootHash: z.string().optional() }),
  }),
  kernel: z.string().max(200).optional(),
});

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

/** isInventoryFile tells the files of inventories in the folder from those of kernels. */
export function isInventoryFile(name: string): boolean {
  return name.endsWith('.json') && !name.startsWith('kernel-');
}

/** readInventories reads all that the watch keeps. @throws advisory/subject-invalid, host/io */
export async function readInventories(folder: string): Promise<StoredInventory[]> {
  const names = await readdir(folder).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list ${folder}`);
  });
  const wanted = names.filter(isInventoryFile).sort();
  return await Promise.all(wanted.map((name) => readInventory(join(folder, name))));
}

/** readInventory reads one inventory; the watch wrote it, so its outline alone is checked. @throws advisory/subject-invalid, host/io */
export async function readInventory(path: string): Promise<StoredInventory> {
  const document = parseBoundedJson((await readBounded(path)).text, path);
  const { success, error } = outline.safeParse(document);
  if (success) return document as StoredInventory;
  const [issue] = error.issues;
  throw new PlinthError(
    'advisory/subject-invalid',
    `Cannot read ${path}: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'invalid'}, expected what "plinth cve watch" keeps`,
  );
}

/** readKernel reads the kernel of a stored inventory of a folder. @throws advisory/subject-invalid, host/io */
export async function readKernel(folder: string, name: string): Promise<KernelFacts> {
  // By its own name alone: no other folder is read.
  const path = join(folder, basename(name));
  return parseBoundedJson((await readBounded(path)).text, path) as KernelFacts;
}
