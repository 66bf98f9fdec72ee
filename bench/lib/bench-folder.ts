import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, exists, removeTree } from '@plinth/host';
import { initKeys } from '@plinth/trust';

/** Where a bench keeps what the next run can use again, and a folder for what it cannot. */
export interface BenchFolder extends AsyncDisposable {
  /** Keys made for the bench only. */
  readonly keysDir: string;
  /** Removed at the end. */
  readonly scratch: string;
  /** A folder of mkosi's for each image: its package cache is what takes long to fill. */
  mkosiDir(name: string): string;
}

/** openBenchFolder opens the bench's part of the cache directory: both rivals work on the same file system. */
export async function openBenchFolder(): Promise<BenchFolder> {
  const root = join(cacheDir(), 'bench');
  await mkdir(root, { recursive: true });
  const keysDir = join(root, 'keys');
  if (!(await exists(keysDir))) await initKeys(keysDir, { organisation: 'Plinth bench' });
  const scratch = await mkdtemp(join(root, 'run-'));
  return {
    keysDir,
    scratch,
    mkosiDir: (name) => join(root, `mkosi-${name}`),
    [Symbol.asyncDispose]: () => removeTree(scratch),
  };
}
