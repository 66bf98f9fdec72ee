import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';
import { type Certificate, type SignatureVerdict, verifyDetached } from '@plinth/trust';
import { readManifest, type TreeManifest } from './manifest.ts';
import { isTreePath, MANIFEST_FILE, MANIFEST_SIGNATURE } from './tree-path.ts';

/** Largest file of a tree that is read into memory. */
const FILE_LIMIT_BYTES = 64 * 1024 * 1024;

/** A tree on disk with its manifest; nothing of it is believed yet. */
export interface OpenTree {
  /** The folder itself, with links resolved: it does not change under the reader's feet. */
  readonly folder: string;
  readonly manifest: TreeManifest;
  readonly manifestBytes: Uint8Array;
  readonly signature: Uint8Array | undefined;
}

/** Reads a file that the manifest lists; fails the check it is read for when it is not what was signed. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** Where the trees of a place lie: the place is a link to one of them, and changing the link is publishing. */
export function treesFolder(treeDir: string): string {
  return join(dirname(resolve(treeDir)), `.${basename(resolve(treeDir))}.trees`);
}

/**
 * openTree opens what is published at a place; undefined when nothing is: no such path, or an empty folder.
 * @throws advisory/tree-invalid for anything else, advisory/document-refused, host/io
 */
export async function openTree(treeDir: string): Promise<OpenTree | undefined> {
  const folder = await resolveTree(treeDir);
  if (folder === undefined) return undefined;
  const manifestBytes = await readTreeFile(folder, MANIFEST_FILE);
  if (!manifestBytes) {
    if ((await readdir(folder)).length === 0) return undefined;
    throw treeInvalid(treeDir, `it has no ${MANIFEST_FILE}`, 'a folder that "plinth cve publish --to" made');
  }
  const manifest = readManifest(manifestBytes, join(treeDir, MANIFEST_FILE));
  return { folder, manifest, manifestBytes, signature: await readTreeFile(folder, MANIFEST_SIGNATURE) };
}

async function resolveTree(treeDir: string): Promise<string | undefined> {
  try {
    return await realpath(treeDir);
  } catch (reason) {
    if (!isErrno(reason, 'ENOENT')) throw ioError(reason, `open ${treeDir}`);
    // A link to nothing is not nothing: somebody removed what was published.
    const target = await readlink(treeDir).catch(() => undefined);
    if (target === undefined) return undefined;
    throw treeInvalid(treeDir, `it leads to ${target}, which is gone`, 'a tree');
  }
}

/** verifyManifest says whether the manifest is signed by one of these certificates. */
export function verifyManifest(tree: OpenTree, trusted: readonly Certificate[]): SignatureVerdict {
  if (!tree.signature) return { verdict: 'fail', reason: 'it has no signature beside it' };
  return verifyDetached(tree.manifestBytes, tree.signature, trusted);
}

/**
 * readTreeFile reads one file of a tree by its path; undefined when there is none, or when it is no plain file in the tree.
 * @throws advisory/tree-invalid past the limit, host/io
 */
export async function readTreeFile(folder: string, path: string): Promise<Buffer | undefined> {
  if (!isTreePath(path)) return undefined;
  const full = join(folder, path);
  try {
    // No link on the way may lead out of the tree.
    if ((await realpath(full)) !== full) return undefined;
    await using file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    if (stats.size > FILE_LIMIT_BYTES)
      throw treeInvalid(full, `it has ${stats.size} bytes`, `at most ${FILE_LIMIT_BYTES}`);
    return await file.readFile();
  } catch (reason) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].some((code) => isErrno(reason, code))) return undefined;
    throw ioError(reason, `read ${full}`);
  }
}

/** readListedFile reads a file that the manifest lists; undefined unless it has exactly the bytes it says. */
export async function readListedFile(tree: OpenTree, path: string): Promise<Buffer | undefined> {
  const listed = Object.hasOwn(tree.manifest.files, path) ? tree.manifest.files[path] : undefined;
  if (!listed) return undefined;
  const bytes = await readTreeFile(tree.folder, path);
  return bytes && sha256Of(bytes) === listed.sha256 ? bytes : undefined;
}

/** listFiles gives the paths of all that is in a tree, but for the manifest and its signature; folders end with "/" when empty. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .filter((path) => path !== MANIFEST_FILE && path !== MANIFEST_SIGNATURE)
      .sort();
  } catch (reason) {
    throw ioError(reason, `list ${folder}`);
  }
}

/** isLink tells whether a link is at the path. @throws host/io */
export async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return false;
    throw ioError(reason, `look at ${path}`);
  }
}

/** SHA-256 of bytes, lower-case hex. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** treeInvalid is the error about a tree as a whole. */
export function treeInvalid(treeDir: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/tree-invalid', `Cannot use ${treeDir}: ${state}, expected ${expected}`);
}
