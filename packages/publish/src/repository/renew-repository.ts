import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import type { UpdateKeyRing, UpdateRole, UpdateSigner } from '@plinth/trust';
import { openUpdateSigners, updateKeyFolder } from '@plinth/trust';
import { REPOSITORY } from '@plinth/updates';
import type { Metadata, Root } from '@tufjs/models';
import { readRoot, requireUpdateKeys, rootFileName } from '../keys/trusted-root.ts';
import {
  type MetadataFile,
  makeImages,
  makeSnapshot,
  makeTargets,
  makeTimestamp,
} from '../metadata/documents.ts';
import { formatExpiry, lifetimesMs } from '../metadata/lifetimes.ts';
import { type SignedDocument, signMetadata } from '../metadata/sign-metadata.ts';
import {
  loadRepository,
  METADATA_FILES,
  parseRoot,
  type Stored,
  type StoredRepository,
} from './load-repository.ts';
import { planRenewal, type Renewal, readTargetList, type TargetList } from './plan-renewal.ts';
import { verifyRepository } from './verify-repository.ts';

/** Whose keys sign, and how long the timestamp counts. */
export interface SigningOptions {
  readonly keysDir: string;
  readonly passphrase?: string;
  /** Default: lifetimesMs.timestamp. */
  readonly timestampLifetimeMs?: number;
  readonly now?: Date;
}

/** A repository that was found to be of these keys. */
export interface OwnRepository {
  readonly dir: string;
  readonly ring: UpdateKeyRing;
  /** Newest root of the key folder. */
  readonly root: Metadata<Root>;
  /** Absent: nothing was published yet. */
  readonly stored?: StoredRepository;
  readonly targets: TargetList;
}

/**
 * openOwnRepository reads a repository and checks that it is signed by the keys of the folder; an absent one is empty.
 * @throws publish/keys-missing, publish/foreign-repository, publish/repository-invalid, host/io
 */
export async function openOwnRepository(dir: string, keysDir: string): Promise<OwnRepository> {
  const ring = await requireUpdateKeys(keysDir);
  const root = parseRoot(rootFileName(ring.rootVersion), await readRoot(keysDir, ring.rootVersion));
  const stored = await loadRepository(dir);
  if (!stored) return { dir, ring, root, targets: {} };
  await verifyRepository(dir, stored, keysDir, ring);
  return { dir, ring, root, stored, targets: readTargetList(stored) };
}

/**
 * renewRepository writes the metadata for a list of targets whose files are in place. The timestamp comes last but for roots: a
 * client that reads at any moment finds the documents of before or of after. Documents are signed by keys just
 * retired too, so that a client counts them with the root of before and with the new one.
 * @param how always: renew the timestamp even when nothing changed; show: puts files in place that only readers of the new
 *   metadata may find, done right before the timestamp
 * @throws publish/keys-missing, trust/key-unreadable, trust/wrong-passphrase, host/io, host/disk-full
 */
export async function renewRepository(
  repository: OwnRepository,
  wanted: TargetList,
  options: SigningOptions,
  { always, show }: { readonly always: boolean; readonly show: () => Promise<void> },
): Promise<Renewal> {
  const { now = new Date() } = options;
  const { ring, root, stored } = repository;
  const renewal = planRenewal(stored, ring, root, wanted, now, always);
  const folder = join(repository.dir, REPOSITORY.metadata);
  await mkdir(folder, { recursive: true });
  const sign = signWith(ring, options);
  const edition = (role: Exclude<UpdateRole, 'root'>) => {
    const isTimestamp = role === 'timestamp' && options.timestampLifetimeMs !== undefined;
    const lifetimeMs = isTimestamp ? (options.timestampLifetimeMs ?? 0) : lifetimesMs[role];
    const version = (stored?.[role].metadata.signed.version ?? 0) + 1;
    return { version, expires: formatExpiry(now, lifetimeMs) };
  };
  const write = async (
    role: 'targets' | 'images' | 'snapshot',
    make: (from: ReturnType<typeof edition>) => SignedDocument,
  ): Promise<MetadataFile> => {
    const old = stored?.[role];
    if (!renewal[role] && old) return fileOf(old);
    const document = make(edition(role));
    const bytes = await sign(role, document);
    await writeFileAtomic(join(folder, METADATA_FILES[role](document.version)), bytes);
    return { version: document.version, bytes };
  };
  const targets = await write('targets', (next) => makeTargets(ring, next));
  const images = await write('images', (next) => makeImages(wanted, next));
  const snapshot = await write('snapshot', (next) => makeSnapshot(targets, images, next));
  if (renewal.images) await show();
  if (renewal.timestamp) {
    const bytes = await sign('timestamp', makeTimestamp(snapshot, edition('timestamp')));
    await writeFileAtomic(join(folder, METADATA_FILES.timestamp), bytes);
  }
  for (const version of renewal.roots) {
    await writeFileAtomic(join(folder, rootFileName(version)), await readRoot(options.keysDir, version));
  }
  return renewal;
}

function fileOf(stored: Stored<SignedDocument>): MetadataFile {
  return { version: stored.metadata.signed.version, bytes: stored.bytes };
}

/** Opens the keys of a role only when it has something to sign: offline keys need not be there for the rest. */
function signWith(
  ring: UpdateKeyRing,
  { keysDir, passphrase }: SigningOptions,
): (role: UpdateRole, document: SignedDocument) => Promise<Uint8Array> {
  return async (role, document) => {
    const signers: readonly UpdateSigner[] = await openUpdateSigners(
      updateKeyFolder(keysDir),
      ring,
      role,
      passphrase,
    );
    return signMetadata(role, document, signers, ring.thresholds[role]);
  };
}
