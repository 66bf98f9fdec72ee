import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { writeFileAtomic } from '@plinth/host';
import { openUpdateSigners, type UpdateKeyRing, updateKeyFolder } from '@plinth/trust';
import { REPOSITORY, REPOSITORY_LIMITS } from '@plinth/updates';
import type { Metadata, Root } from '@tufjs/models';
import { readRoot, requireUpdateKeys, rootFileName } from '../keys/trusted-root.ts';
import {
  type Edition,
  type MetadataFile,
  makeImages,
  makeSnapshot,
  makeTargets,
  makeTimestamp,
} from '../metadata/documents.ts';
import { formatExpiry, lifetimesMs } from '../metadata/lifetimes.ts';
import { inForce, type SignedDocument, signMetadata } from '../metadata/sign-metadata.ts';
import {
  loadRepository,
  type METADATA_FILES,
  metadataFile,
  parseRoot,
  type StoredRepository,
} from './load-repository.ts';
import { type Need, planRenewal, readTargetList, type TargetList } from './plan-renewal.ts';
import { verifyRepository } from './verify-repository.ts';

/** Whose keys sign, and how long the timestamp counts. */
export interface SigningOptions {
  readonly keysDir: string;
  readonly passphrase?: string;
  /** More folders with private update keys, such as media of their keepers. */
  readonly moreFolders?: readonly string[];
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
  /** Key ids that readers of the repository as it is believe. */
  readonly believed: ReadonlySet<string>;
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
  if (!stored) return { dir, ring, root, targets: {}, believed: new Set() };
  const { keys } = (await verifyRepository(dir, stored, keysDir, ring)).signed;
  const delegated = stored.targets.metadata.signed.delegations?.keys ?? {};
  const believed = new Set([...Object.keys(keys), ...Object.keys(delegated)]);
  return { dir, ring, root, stored, targets: readTargetList(stored), believed };
}

/** What was written, and what ends soon and was left for a time when its keys are at hand. */
export interface Renewal {
  readonly written: readonly MetadataRole[];
  readonly postponed: readonly MetadataRole[];
  /** Versions of root that the repository got. */
  readonly roots: readonly number[];
}

type MetadataRole = keyof typeof METADATA_FILES;

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
  const { keysDir, passphrase, now = new Date() } = options;
  const folders = [updateKeyFolder(keysDir), ...(options.moreFolders ?? [])];
  const { ring, root, stored, believed } = repository;
  const plan = planRenewal(stored, ring, root, wanted, now, always);
  const folder = join(repository.dir, REPOSITORY.metadata);
  await mkdir(folder, { recursive: true });
  const written: MetadataRole[] = [];
  const postponed: MetadataRole[] = [];

  const write = async (
    role: MetadataRole,
    need: Need,
    make: (edition: Edition) => SignedDocument,
  ): Promise<MetadataFile> => {
    const old = stored?.[role];
    const kept = old && { version: old.metadata.signed.version, bytes: old.bytes };
    if (kept && need === 'no') return kept;
    // Keys of a role are opened only when it has something to sign: offline keys need not be there for the rest.
    const signers = (await openUpdateSigners(folders, ring, role, passphrase)).filter(
      ({ key }) => key.retired === undefined || believed.has(key.keyId),
    );
    const threshold = ring.thresholds[role];
    if (kept && need === 'soon' && inForce(signers) < threshold) {
      postponed.push(role);
      return kept;
    }
    const version = (kept?.version ?? 0) + 1;
    const lifetimeMs = (role === 'timestamp' && options.timestampLifetimeMs) || lifetimesMs[role];
    const document = make({ version, expires: formatExpiry(now, lifetimeMs) });
    const bytes = signMetadata(role, document, signers, threshold);
    if (bytes.length > REPOSITORY_LIMITS.metadataBytes) {
      throw new PlinthError(
        'publish/repository-invalid',
        `Cannot sign ${role}: it would have ${bytes.length} bytes, nodes read at most ${REPOSITORY_LIMITS.metadataBytes}`,
        { hint: 'The repository is full: take old releases out of it with "plinth release prune".' },
      );
    }
    if (role === 'timestamp') await show();
    await writeFileAtomic(join(folder, metadataFile(role, version)), bytes);
    written.push(role);
    return { version, bytes };
  };

  const targets = await write('targets', plan.targets, (edition) => makeTargets(ring, edition));
  const images = await write('images', plan.images, (edition) => makeImages(wanted, edition));
  const above = (need: Need): Need => (written.length > 0 ? 'must' : need);
  const snapshot = await write('snapshot', above(plan.snapshot), (edition) =>
    makeSnapshot(targets, images, edition),
  );
  await write('timestamp', above(plan.timestamp), (edition) => makeTimestamp(snapshot, edition));
  for (const version of plan.roots) {
    await writeFileAtomic(join(folder, rootFileName(version)), await readRoot(keysDir, version));
  }
  return { written, postponed, roots: plan.roots };
}
