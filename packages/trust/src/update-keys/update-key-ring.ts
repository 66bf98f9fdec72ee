import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno, writeFileAtomic } from '@plinth/host';
import { isRecord, parseKeyList } from '../record.ts';
import { isUpdateRole, type UpdateRole, updateRoleNames } from './update-roles.ts';

/** One update key: Ed25519, named by its key id of TUF. */
export interface UpdateKey {
  readonly role: UpdateRole;
  /** SHA-256 of the public key's canonical JSON, hex (TUF 1.0, 4.2). */
  readonly keyId: string;
  /** The 32 bytes of the public key, hex. */
  readonly publicKey: string;
  /** ISO 8601. */
  readonly created: string;
  /** When another key took its place; nodes no longer believe it from that root on. */
  readonly retired?: string;
}

/** `update-keys.json`: the update keys in force. Changing it is what makes a rotation happen, all at once. */
export interface UpdateKeyRing {
  readonly format: 1;
  readonly created: string;
  /** The newest of the N.root.json beside it that counts. A higher one is the rest of a rotation that did not happen. */
  readonly rootVersion: number;
  readonly thresholds: Readonly<Record<UpdateRole, number>>;
  readonly keys: readonly UpdateKey[];
}

const FILE_NAME = 'update-keys.json';
const FILE_LIMIT_BYTES = 1 << 20;

/** updateKeyFolder is where the update keys of a key folder are; apart, so that they can be kept on another medium. */
export function updateKeyFolder(keysDir: string): string {
  return join(keysDir, 'updates');
}

/** updateKeyPath is the file of a private update key. */
export function updateKeyPath(folder: string, key: UpdateKey): string {
  return join(folder, `${key.role}-${key.keyId.slice(0, 12)}.key.pem`);
}

/** currentUpdateKeys gives the keys in force for a role. */
export function currentUpdateKeys(ring: UpdateKeyRing, role: UpdateRole): readonly UpdateKey[] {
  return ring.keys.filter((key) => key.role === role && !key.retired);
}

/** writeUpdateKeyRing replaces the ring whole. @throws host/io, host/disk-full */
export async function writeUpdateKeyRing(folder: string, ring: UpdateKeyRing): Promise<void> {
  await writeFileAtomic(join(folder, FILE_NAME), `${JSON.stringify(ring, undefined, 2)}\n`, 0o644);
}

/**
 * readUpdateKeyRing reads the ring of a folder of update keys; undefined when there is none.
 * @throws trust/key-unreadable, host/io
 */
export async function readUpdateKeyRing(folder: string): Promise<UpdateKeyRing | undefined> {
  const path = join(folder, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read the update keys ${path}`);
  }
  const ring = text.length > FILE_LIMIT_BYTES ? undefined : parseRing(text);
  if (ring) return ring;
  throw new PlinthError(
    'trust/key-unreadable',
    `Cannot read update keys ${path}: damaged, expected format 1`,
    {
      hint: 'Restore the folder of your keys from your copy.',
    },
  );
}

function parseRing(text: string): UpdateKeyRing | undefined {
  const list = parseKeyList(text, parseKey);
  if (!list) return undefined;
  const { created, rootVersion, thresholds } = list.fields;
  if (typeof created !== 'string' || !isCount(rootVersion) || !isRecord(thresholds)) return undefined;
  const counts = parseThresholds(thresholds);
  if (!counts) return undefined;
  const ring: UpdateKeyRing = { format: 1, created, rootVersion, thresholds: counts, keys: list.keys };
  // Each role must be able to sign.
  const isWhole = updateRoleNames.every((role) => counts[role] <= currentUpdateKeys(ring, role).length);
  return isWhole ? ring : undefined;
}

function parseThresholds(value: Readonly<Record<string, unknown>>): UpdateKeyRing['thresholds'] | undefined {
  const { root, targets, images, snapshot, timestamp } = value;
  const isWhole = isCount(root) && isCount(targets) && isCount(images);
  if (!isWhole || !isCount(snapshot) || !isCount(timestamp)) return undefined;
  return { root, targets, images, snapshot, timestamp };
}

function parseKey(value: Readonly<Record<string, unknown>>): UpdateKey | undefined {
  const { role, keyId, publicKey, created, retired } = value;
  if (typeof role !== 'string' || !isUpdateRole(role) || typeof created !== 'string') return undefined;
  if (typeof keyId !== 'string' || !isDigest(keyId)) return undefined;
  if (typeof publicKey !== 'string' || !isDigest(publicKey)) return undefined;
  return { role, keyId, publicKey, created, ...(typeof retired === 'string' ? { retired } : {}) };
}

function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}
