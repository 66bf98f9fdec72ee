import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, removeTree } from '@plinth/host';

/** What the go command keeps between runs. Its own locks let several runs use the same folders. */
export interface GoCache {
  /** Downloaded modules (GOMODCACHE). */
  readonly modules: string;
  /** Compiled packages (GOCACHE). */
  readonly packages: string;
  /** Scratch space on disk: an unlinked Kubernetes is too large for memory. */
  readonly scratch: string;
}

/** openGoCache makes the folders; by default below `go` in the user's cache directory. */
export async function openGoCache(root: string = join(cacheDir(), 'go')): Promise<GoCache> {
  const cache = { modules: join(root, 'mod'), packages: join(root, 'build'), scratch: join(root, 'tmp') };
  for (const folder of Object.values(cache)) await mkdir(folder, { recursive: true });
  return cache;
}

/** withScratch gives `work` a scratch folder of its own and removes it afterwards, whatever the compiler left there. */
export async function withScratch<T>(cache: GoCache, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(cache.scratch, 'run-'));
  try {
    return await work(dir);
  } finally {
    await removeTree(dir);
  }
}
