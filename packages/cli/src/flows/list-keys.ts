import { exists } from '@plinth/host';
import { readKeyRingFile, readUpdateKeyRing, updateKeyFolder, updateKeyPath } from '@plinth/trust';

/** One key of a key folder. */
export interface ListedKey {
  /** Update keys are "update-" and their role. */
  readonly role: string;
  readonly state: 'in force' | 'retired' | 'in force, kept elsewhere';
  /** SHA-256 of the public key; of an update key its key id. */
  readonly fingerprint: string;
  readonly created: string;
  readonly retired?: string;
}

/** listKeys lists the keys of a folder, update keys last. @throws trust/key-missing, trust/key-unreadable, host/io */
export async function listKeys(folder: string): Promise<readonly ListedKey[]> {
  const { keys } = await readKeyRingFile(folder);
  const updates = updateKeyFolder(folder);
  const ring = await readUpdateKeyRing(updates);
  const listed = await Promise.all(
    (ring?.keys ?? []).map(async (key): Promise<ListedKey> => {
      const { role, keyId, publicKey: _, ...dates } = key;
      const isHere = await exists(updateKeyPath(updates, key));
      const state = key.retired ? 'retired' : isHere ? 'in force' : 'in force, kept elsewhere';
      return { role: `update-${role}`, fingerprint: keyId, state, ...dates };
    }),
  );
  return [
    ...keys.map((key): ListedKey => ({ ...key, state: key.retired ? 'retired' : 'in force' })),
    ...listed,
  ];
}
