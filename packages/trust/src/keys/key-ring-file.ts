import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno, writeFileAtomic } from '@plinth/host';
import { type Certificate, readCertificate } from '../certificate.ts';
import { parseKeyList } from '../record.ts';
import { isKeyRole, type KeyRole, keyRoleNames } from './key-roles.ts';

/** One key as `keyring.json` names it. */
export interface KeyEntry {
  readonly role: KeyRole;
  /** SHA-256 of the public key, hex. */
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly created: string;
  /** When another key took its place; its certificate counts until it is dropped. */
  readonly retired?: string;
}

/** `keyring.json`: which of the files are in force. Changing it is what makes a rotation happen, all at once. */
export interface KeyRingFile {
  readonly format: 1;
  readonly created: string;
  readonly organisation: string;
  /** Owner of our entries in EFI key variables. */
  readonly ownerGuid: string;
  readonly keys: readonly KeyEntry[];
}

const FILE_NAME = 'keyring.json';

/** File names carry the start of the fingerprint, so that an old and a new key can lie side by side. */
export function keyPaths(
  dir: string,
  entry: KeyEntry,
): { readonly key: string; readonly certificate: string } {
  const stem = join(
    dir,
    ...(entry.retired ? ['retired'] : []),
    `${entry.role}-${entry.fingerprint.slice(0, 12)}`,
  );
  return { key: `${stem}.key.pem`, certificate: `${stem}.crt.pem` };
}

/** currentEntry gives the key in force for a role. */
export function currentEntry(ring: KeyRingFile, role: KeyRole): KeyEntry {
  const entry = ring.keys.find((candidate) => candidate.role === role && !candidate.retired);
  if (entry) return entry;
  throw new PlinthError('trust/key-missing', `Cannot use the ${role} key: none is in force, expected one`);
}

export async function writeKeyRingFile(dir: string, ring: KeyRingFile): Promise<void> {
  await writeFileAtomic(join(dir, FILE_NAME), `${JSON.stringify(ring, undefined, 2)}\n`, 0o644);
}

/** @throws trust/key-missing, trust/key-unreadable */
export async function readKeyRingFile(dir: string): Promise<KeyRingFile> {
  const path = join(dir, FILE_NAME);
  const text = await readText(path, 'read the key ring');
  const ring = parseKeyRing(text);
  if (ring) return ring;
  throw new PlinthError('trust/key-unreadable', `Cannot read key ring ${path}: damaged, expected format 1`, {
    hint: 'Restore the folder of your keys from your copy.',
  });
}

/** @throws trust/key-missing, trust/key-unreadable, trust/certificate-invalid */
export async function readKeyCertificate(dir: string, entry: KeyEntry): Promise<Certificate> {
  const path = keyPaths(dir, entry).certificate;
  const certificate = readCertificate(await readText(path, 'read certificate'));
  if (certificate.keyId === entry.fingerprint) return certificate;
  throw new PlinthError(
    'trust/key-unreadable',
    `Cannot use certificate ${path}: it has another key than the key ring says`,
    {
      hint: 'Restore the folder of your keys from your copy.',
    },
  );
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) {
      throw new PlinthError('trust/key-missing', `Cannot ${what} ${path}: no such file`, { cause: reason });
    }
    throw ioError(reason, `${what} ${path}`);
  }
}

function parseKeyRing(text: string): KeyRingFile | undefined {
  const list = parseKeyList(text, parseEntry);
  if (!list) return undefined;
  const { keys } = list;
  const { created, organisation, ownerGuid } = list.fields;
  if (typeof created !== 'string' || typeof organisation !== 'string' || typeof ownerGuid !== 'string')
    return undefined;
  const complete = keyRoleNames.every((role) => isInForceOnce(keys, role));
  return complete ? { format: 1, created, organisation, ownerGuid, keys } : undefined;
}

function parseEntry(value: Readonly<Record<string, unknown>>): KeyEntry | undefined {
  const { role, fingerprint, created, retired } = value;
  if (typeof role !== 'string' || !isKeyRole(role) || typeof created !== 'string') return undefined;
  if (typeof fingerprint !== 'string' || !/^[0-9a-f]{64}$/.test(fingerprint)) return undefined;
  return { role, fingerprint, created, ...(typeof retired === 'string' ? { retired } : {}) };
}

function isInForceOnce(keys: readonly KeyEntry[], role: KeyRole): boolean {
  return keys.filter((entry) => entry.role === role && !entry.retired).length === 1;
}
