import { PlinthError } from '@plinth/base';
import { REPOSITORY, REPOSITORY_LIMITS } from '../repository.ts';
import { invalid, type RootMetadata, requireFresh, type TargetsMetadata } from './metadata.ts';
import {
  describedRole,
  firstRoot,
  newSnapshot,
  newTargets,
  newTimestamp,
  nextRoot,
  seenBefore,
} from './trusted-set.ts';

/** As many new roots as a node follows in one go, and roles with targets. */
const ROOTS_MAXIMUM = 256;
const ROLES_MAXIMUM = 32;

/** What was signed about a file. */
export interface TrustedTarget {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Where files of a repository come from; what comes is believed by nobody yet. */
export interface MetadataSource {
  /** A file below an address; undefined when it is not there. At most so many bytes are taken. */
  fileAt(
    base: URL,
    fetch: { readonly path: string; readonly limitBytes: number },
  ): Promise<Buffer | undefined>;
}

/** Where metadata that were seen are kept. */
export interface SeenStore {
  read(name: string): Promise<Buffer | undefined>;
  write(name: string, data: Uint8Array): Promise<void>;
}

export interface RefreshParts {
  readonly fetcher: MetadataSource;
  /** What was seen; "N.root.json", "timestamp.json", "snapshot.json". */
  readonly store: SeenStore;
  /** The root that is believed to begin with, and its name for messages. */
  readonly trustedRoot: Uint8Array;
  readonly trustedRootFile: string;
  /** The time to judge by. */
  readonly atMs: number;
}

/** Signed metadata of one moment; finds what was signed about a file. */
export type FindTarget = (name: string) => TrustedTarget | undefined;

/**
 * refreshAt does the client workflow of TUF at one address. What passed its checks is stored before the next step, so that nobody can
 * take the node back to before it; a role's targets are loaded as far as delegations lead.
 * @throws update/unreachable, update/stalled, update/too-large, update/metadata-*
 */
export async function refreshAt(parts: RefreshParts, base: URL): Promise<FindTarget> {
  const { store, atMs } = parts;
  const root = await trustedRoot(parts, base);
  requireFresh(root, atMs, `${root.signed.version}.root.json`);
  const seen = seenBefore(root, {
    timestamp: await store.read('timestamp.json'),
    snapshot: await store.read('snapshot.json'),
  });
  const timestampBytes = await required(parts, base, 'timestamp.json');
  const timestamp = newTimestamp(root, seen, timestampBytes, atMs);
  if (timestamp !== seen.timestamp) await store.write('timestamp.json', timestampBytes);
  const { version, length } = timestamp.signed.snapshotMeta;
  const snapshotBytes = await required(parts, base, versioned(root, version, 'snapshot'), length);
  const snapshot = newSnapshot(root, timestamp, seen, snapshotBytes, atMs);
  if (version !== seen.snapshot?.signed.version) await store.write('snapshot.json', snapshotBytes);

  const load = async (above: RootMetadata | TargetsMetadata, role: string): Promise<TargetsMetadata> => {
    const described = describedRole(snapshot, role);
    const bytes = await required(parts, base, versioned(root, described.version, role), described.length);
    return newTargets(above, snapshot, role, bytes, atMs);
  };
  const roles = new Map([['targets', await load(root, 'targets')]]);
  // Inserting into a map while it is walked: what a role delegates to is loaded in its turn.
  for (const above of roles.values()) {
    for (const role of Object.keys(above.signed.delegations?.roles ?? {})) {
      if (roles.has(role)) continue;
      if (roles.size === ROLES_MAXIMUM)
        throw invalid('targets.json', 'too many roles', `${ROLES_MAXIMUM} at most`);
      roles.set(role, await load(above, role));
    }
  }
  return (name) => findTarget(roles, name);
}

/** 5.3: from the image's root along the chain, first through what is stored, then through what the address has. */
async function trustedRoot(parts: RefreshParts, base: URL): Promise<RootMetadata> {
  const { store } = parts;
  let root = firstRoot(parts.trustedRoot, parts.trustedRootFile);
  for (let count = 0; count < ROOTS_MAXIMUM; count++) {
    const file = `${root.signed.version + 1}.root.json`;
    const stored = await storedRoot(root, await store.read(file));
    if (stored) {
      root = stored;
      continue;
    }
    const bytes = await optional(parts, base, file);
    if (!bytes) break;
    root = nextRoot(root, bytes);
    await store.write(file, bytes);
  }
  return root;
}

/** What /var holds is checked as what a server sends; one that does not pass is as if it were not there. */
async function storedRoot(
  root: RootMetadata,
  bytes: Uint8Array | undefined,
): Promise<RootMetadata | undefined> {
  try {
    return bytes && nextRoot(root, bytes);
  } catch {
    return undefined;
  }
}

function versioned(root: RootMetadata, version: number, role: string): string {
  return root.signed.consistentSnapshot ? `${version}.${role}.json` : `${role}.json`;
}

function optional(
  { fetcher }: RefreshParts,
  base: URL,
  file: string,
  length?: number,
): Promise<Buffer | undefined> {
  const limitBytes = Math.min(length ?? Number.POSITIVE_INFINITY, REPOSITORY_LIMITS.metadataBytes);
  return fetcher.fileAt(base, { path: `${REPOSITORY.metadata}/${file}`, limitBytes });
}

async function required(parts: RefreshParts, base: URL, file: string, length?: number): Promise<Buffer> {
  const bytes = await optional(parts, base, file, length);
  if (bytes) return bytes;
  throw new PlinthError(
    'update/unreachable',
    `Cannot fetch ${file}: ${base.href} does not have it, expected the metadata of a repository`,
    { details: { status: 404 } },
  );
}

/** 5.6.7: roles in the order of their trust, each with what it delegates before its neighbour. */
function findTarget(roles: ReadonlyMap<string, TargetsMetadata>, name: string): TrustedTarget | undefined {
  const visited = new Set<string>();
  const visit = (role: string): { readonly found?: TrustedTarget; readonly ends?: boolean } => {
    const metadata = roles.get(role);
    if (!metadata || visited.has(role)) return {};
    visited.add(role);
    const { targets, delegations } = metadata.signed;
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    if (target) {
      const sha256 = target.hashes['sha256'];
      if (!sha256 || !/^[0-9a-f]{64}$/.test(sha256) || !Number.isSafeInteger(target.length)) {
        throw invalid(`${role}.json`, `${name} without a SHA-256`, 'one for each target');
      }
      return { found: { name, sizeBytes: target.length, sha256 } };
    }
    for (const { role: below, terminating } of delegations?.rolesForTarget(name) ?? []) {
      const result = visit(below);
      if (result.found || result.ends || terminating) return { ...result, ends: true };
    }
    return {};
  };
  return visit('targets').found;
}
