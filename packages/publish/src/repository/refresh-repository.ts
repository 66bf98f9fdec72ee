import { lifetimesMs, needsRenewal } from '../metadata/lifetimes.ts';
import { changeRepository, type RepositoryOptions, type RepositoryOutcome } from './change-repository.ts';
import { loadRepository, type METADATA_FILES, readRepositoryRoot } from './load-repository.ts';

/** Until when one of the metadata counts. */
export interface Expiry {
  readonly role: 'root' | keyof typeof METADATA_FILES;
  readonly version: number;
  /** ISO 8601. */
  readonly expires: string;
}

/** What a refresh did. */
export interface RefreshedRepository extends Pick<RepositoryOutcome, 'renewal' | 'hasView'> {
  readonly expiries: readonly Expiry[];
  /** Root is not renewed by a refresh: a rotation of one of its keys does. */
  readonly rootEndsSoon: boolean;
}

/**
 * refreshRepository signs the timestamp anew, so that nodes go on believing the repository, and whatever else ends soon and
 * has its keys at hand. It brings in rotated keys too.
 * @throws what changeRepository throws
 */
export async function refreshRepository(options: RepositoryOptions): Promise<RefreshedRepository> {
  const { renewal, hasView } = await changeRepository(options, async () => ({}), true);
  const expiries = await readExpiries(options.repoDir);
  const root = expiries.find(({ role }) => role === 'root');
  const now = options.now ?? new Date();
  const rootEndsSoon = root !== undefined && needsRenewal(root.expires, lifetimesMs.root, now);
  return { renewal, hasView, expiries, rootEndsSoon };
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
