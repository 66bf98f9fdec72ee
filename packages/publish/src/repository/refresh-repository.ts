import { changeRepository, type RepositoryOptions } from './change-repository.ts';
import { loadRepository, type METADATA_FILES, readRepositoryRoot } from './load-repository.ts';
import type { Renewal } from './renew-repository.ts';

/** Until when one of the metadata counts. */
export interface Expiry {
  readonly role: 'root' | keyof typeof METADATA_FILES;
  readonly version: number;
  /** ISO 8601. */
  readonly expires: string;
}

/**
 * refreshRepository signs the timestamp anew, so that nodes go on believing the repository, and whatever else ends soon and
 * has its keys at hand. It brings in rotated keys too.
 * @throws what changeRepository throws
 */
export async function refreshRepository(
  options: RepositoryOptions,
): Promise<{ readonly renewal: Renewal; readonly expiries: readonly Expiry[] }> {
  const { renewal } = await changeRepository(options, async () => ({}), true);
  return { renewal, expiries: await readExpiries(options.repoDir) };
}

/** readExpiries tells when what ends. @throws publish/repository-invalid, host/io */
export async function readExpiries(repoDir: string): Promise<readonly Expiry[]> {
  const stored = await loadRepository(repoDir);
  if (!stored) return [];
  const root = await readRepositoryRoot(repoDir, stored.rootVersion);
  const of = (role: Expiry['role'], { version, expires }: { version: number; expires: string }): Expiry => {
    return { role, version, expires };
  };
  return [
    of('root', root.metadata.signed),
    of('targets', stored.targets.metadata.signed),
    of('images', stored.images.metadata.signed),
    of('snapshot', stored.snapshot.metadata.signed),
    of('timestamp', stored.timestamp.metadata.signed),
  ];
}
