import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, withLock } from '@plinth/host';
import { loadKeys, type OpenPgpSigner, signDetached } from '@plinth/trust';
import type { AdvisoryRecord } from '../../model/index.ts';
import { keyPath, type ProviderKey, readProviderMetadata } from '../csaf/provider.ts';
import { openAdvisoryKey } from '../keys/advisory-key.ts';
import { CSAF_FOLDER, type Publisher } from '../record/publisher.ts';
import { parseRecord } from '../record/read-record.ts';
import { formatManifest, type TreeManifest } from './manifest.ts';
import { mergeRecords } from './merge-records.ts';
import {
  type OpenTree,
  openTree,
  readListedFile,
  sha256Of,
  treeInvalid,
  treesFolder,
  verifyManifest,
} from './open-tree.ts';
import { planTree } from './plan-tree.ts';
import { MANIFEST_FILE, MANIFEST_SIGNATURE, RECORDS_FOLDER } from './tree-path.ts';
import { removeOldTrees, type TreeFile, writeTree } from './write-tree.ts';

export interface PublishAdvisoriesOptions {
  /** Where the tree is, or becomes: a link to the newest of the trees beside it. */
  readonly treeDir: string;
  readonly keysDir: string;
  readonly passphrase?: string;
  /** New and changed records; none: the same advisories are signed anew, which says that nothing else is known. */
  readonly records: readonly AdvisoryRecord[];
  /** What of the publisher is given; the rest is as published. A new tree needs `url`. */
  readonly publisher: Partial<Publisher>;
  /** How long the tree counts as fresh. */
  readonly validMs: number;
  readonly now?: Date;
  readonly signal?: AbortSignal;
  /** Called once when another process publishes to the same place. */
  readonly onWait?: (holderPid: number) => void;
}

/** What came of a publication. */
export interface PublishedAdvisories {
  readonly manifest: TreeManifest;
  readonly publisher: Publisher;
  readonly records: number;
  /** Ids of records. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly written: number;
  readonly kept: number;
  /** CSAF documents that got a new signature. */
  readonly signed: number;
}

/**
 * publishAdvisories adds records to a tree and makes every format of it anew, all at once. Only what changed is written and signed. The
 * tree that is there must be of these keys: records are taken from it.
 * @throws advisory/not-public, advisory/record-conflict, advisory/record-invalid, advisory/tree-invalid, advisory/document-refused,
 * trust/…, host/io, host/disk-full, cli/interrupted
 */
export async function publishAdvisories(options: PublishAdvisoriesOptions): Promise<PublishedAdvisories> {
  const { treeDir, signal, onWait } = options;
  const trees = treesFolder(treeDir);
  // Before anything is made beside it: a mistyped place stays as it is.
  await openTree(treeDir);
  await mkdir(dirname(trees), { recursive: true }).catch((reason) =>
    Promise.reject(ioError(reason, `make ${dirname(trees)}`)),
  );
  return withLock(join(trees, '.lock'), `publish to ${treeDir}`, () => publish(options), {
    signal,
    ...(onWait && { onWait }),
  });
}

async function publish(options: PublishAdvisoriesOptions): Promise<PublishedAdvisories> {
  const { treeDir, keysDir, passphrase, now = new Date() } = options;
  const ring = await loadKeys(keysDir, passphrase === undefined ? {} : { passphrase });
  const signer = await openAdvisoryKey(keysDir, passphrase);
  const before = await openTree(treeDir);
  if (before) {
    const { verdict } = verifyManifest(before, ring.certificates('release'));
    if (verdict !== 'pass')
      throw treeInvalid(
        treeDir,
        'its manifest is not signed by these keys',
        'the key folder it was made with',
      );
  }
  const old = before ? await readOld(before, treeDir) : undefined;
  const merged = mergeRecords(old?.records ?? [], options.records);
  const publisher = publisherOf(options.publisher, old?.publisher);
  const { fingerprint, armoured } = signer;
  const keys = [
    { fingerprint, armoured },
    ...(old?.keys ?? []).filter((key) => key.fingerprint !== fingerprint),
  ];
  const plan = planTree({ records: merged.records, publisher, keys });
  const files = [...plan.files].map(([path, text]) => treeFile(path, Buffer.from(text), before));
  const signatures = await signAll(plan.signed, files, before, signer);
  const all = [...files, ...signatures.files];
  const manifest: TreeManifest = {
    format: 1,
    sequence: (before?.manifest.sequence ?? 0) + 1,
    publishedAt: now.toISOString(),
    validUntil: new Date(now.getTime() + options.validMs).toISOString(),
    files: Object.fromEntries(
      all
        .toSorted((left, right) => (left.path < right.path ? -1 : 1))
        .map(({ path, bytes, sha256 }) => [path, { sha256, sizeBytes: bytes.length }]),
    ),
  };
  const manifestBytes = Buffer.from(formatManifest(manifest));
  const signature = await signDetached(ring.signers.release, manifestBytes);
  const closing = [treeFile(MANIFEST_FILE, manifestBytes), treeFile(MANIFEST_SIGNATURE, signature)];
  options.signal?.throwIfAborted();
  const { written, kept } = await writeTree(treeDir, manifest.sequence, [...all, ...closing]);
  await removeOldTrees(treeDir, manifest.sequence);
  const { added, changed, records } = merged;
  return {
    manifest,
    publisher,
    records: records.length,
    added,
    changed,
    written,
    kept,
    signed: signatures.count,
  };
}

interface OldTree {
  readonly records: readonly AdvisoryRecord[];
  readonly publisher: Publisher;
  readonly keys: readonly ProviderKey[];
}

async function readOld(tree: OpenTree, treeDir: string): Promise<OldTree> {
  const read = async (path: string) => {
    const bytes = await readListedFile(tree, path);
    if (bytes) return bytes;
    throw treeInvalid(treeDir, `${path} is not what was signed`, 'the tree as it was published');
  };
  const records: AdvisoryRecord[] = [];
  for (const path of Object.keys(tree.manifest.files))
    if (path.startsWith(`${RECORDS_FOLDER}/`)) records.push(parseRecord(await read(path), path));
  const path = `${CSAF_FOLDER}/provider-metadata.json`;
  const { publisher, fingerprints } = readProviderMetadata(await read(path), path);
  const keys: ProviderKey[] = [];
  for (const fingerprint of fingerprints) {
    const armoured = (await read(`${CSAF_FOLDER}/${keyPath(fingerprint)}`)).toString('utf8');
    keys.push({ fingerprint, armoured });
  }
  return { records, publisher, keys };
}

function publisherOf(given: Partial<Publisher>, old: Publisher | undefined): Publisher {
  const url = (given.url ?? old?.url)?.replace(/\/+$/, '');
  if (url === undefined || !/^https:\/\/[A-Za-z0-9][A-Za-z0-9.:-]*(?:\/[A-Za-z0-9._~/-]*)?$/.test(url)) {
    throw new PlinthError(
      'advisory/address-unknown',
      `Cannot publish advisories: ${url === undefined ? 'their address is not known' : `address ${url}`}, expected "https://…"`,
    );
  }
  const contact = given.contact ?? old?.contact;
  const name = given.name ?? old?.name ?? 'Plinth';
  return { name, url, ...(contact !== undefined && { contact }) };
}

function treeFile(path: string, bytes: Uint8Array, before?: OpenTree): TreeFile {
  const sha256 = sha256Of(bytes);
  const isSame = before?.manifest.files[path]?.sha256 === sha256;
  return { path, bytes, sha256, ...(isSame && { before: resolve(before.folder, path) }) };
}

/** A document that is as it was keeps its signature, also one by a key that is no longer used: the key is still listed. */
async function signAll(
  paths: readonly string[],
  files: readonly TreeFile[],
  before: OpenTree | undefined,
  signer: OpenPgpSigner,
): Promise<{ readonly files: readonly TreeFile[]; readonly count: number }> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const made: TreeFile[] = [];
  let count = 0;
  for (const path of paths) {
    const document = byPath.get(path);
    if (!document) continue;
    const old =
      document.before === undefined || !before ? undefined : await readListedFile(before, `${path}.asc`);
    if (!old) count++;
    const bytes = old ?? Buffer.from(await signer.signArmoured(document.bytes));
    made.push(treeFile(`${path}.asc`, bytes, before));
  }
  return { files: made, count };
}
