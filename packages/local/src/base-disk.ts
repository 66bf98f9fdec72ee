import { stat } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import type { BaseIdentity } from './machine-record.ts';

/** identifyBase tells an image from another one that took its path. @throws host/io */
export async function identifyBase(path: string): Promise<BaseIdentity> {
  const { size, mtimeMs } = await stat(path).catch((reason) => {
    throw ioError(reason, `read the image ${path}`);
  });
  return { path, sizeBytes: size, modifiedMs: Math.floor(mtimeMs) };
}

/** checkSameBase refuses to mix a machine's differences with an image they were not made from. @throws vm/disk-changed */
export function checkSameBase(name: string, made: BaseIdentity, now: BaseIdentity): void {
  if (made.path !== now.path) {
    throw changed(name, `it was made from ${made.path}, expected ${now.path}`);
  }
  if (made.sizeBytes !== now.sizeBytes || made.modifiedMs !== now.modifiedMs) {
    throw changed(name, `its image ${now.path} was changed since, expected it to stay as it was`);
  }
}

function changed(name: string, state: string): PlinthError {
  return new PlinthError('vm/disk-changed', `Cannot start machine "${name}": ${state}`);
}
