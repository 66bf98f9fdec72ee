import { type EfiSignature, encodeSignatureLists } from '@plinth/formats';
import type { Certificate } from '../certificate.ts';
import { localSigner, type Signer } from '../signer.ts';
import { currentEntry, keyPaths, readKeyCertificate, readKeyRingFile } from './key-ring-file.ts';
import { dbRoles, type KeyRole } from './key-roles.ts';
import { readPrivateKeyFile } from './private-key-file.ts';

/** The public half of a key folder: enough to verify and to enrol, not to sign. */
export interface PublicKeys {
  readonly organisation: string;
  readonly ownerGuid: string;
  /** Certificates of a role: the one in force first, then retired ones. */
  certificates(role: KeyRole): readonly Certificate[];
  /** Contents of the EFI key variables (signature lists); db holds boot and verity certificates, retired ones too. */
  readonly efiVariables: { readonly PK: Uint8Array; readonly KEK: Uint8Array; readonly db: Uint8Array };
  /** A certificate as an entry of an EFI key variable. */
  efiSignature(certificate: Certificate): EfiSignature;
}

/** A key folder with its private keys. */
export interface KeyRing extends PublicKeys {
  readonly signers: Readonly<Record<KeyRole, Signer>>;
}

export interface LoadKeysOptions {
  readonly passphrase?: string;
}

/**
 * loadPublicKeys reads the certificates of a key folder.
 * @throws trust/key-missing, trust/key-unreadable, trust/certificate-invalid
 */
export async function loadPublicKeys(dir: string): Promise<PublicKeys> {
  const ring = await readKeyRingFile(dir);
  const inForceFirst = ring.keys.toSorted((left, right) => Number(!!left.retired) - Number(!!right.retired));
  const loaded = await Promise.all(
    inForceFirst.map(async (entry) => ({
      role: entry.role,
      certificate: await readKeyCertificate(dir, entry),
    })),
  );
  const certificates = (role: KeyRole) =>
    loaded.filter((key) => key.role === role).map(({ certificate }) => certificate);
  const efiSignature = (certificate: Certificate): EfiSignature => {
    return { ownerGuid: ring.ownerGuid, certificateDer: certificate.der };
  };
  const efiVariable = (roles: readonly KeyRole[]) =>
    encodeSignatureLists(roles.flatMap(certificates).map(efiSignature));
  return {
    organisation: ring.organisation,
    ownerGuid: ring.ownerGuid,
    certificates,
    efiSignature,
    efiVariables: {
      // PK is one key by definition (UEFI 2.10, 32.3); the others overlap while a rotation is under way.
      PK: encodeSignatureLists(certificates('platform-key').slice(0, 1).map(efiSignature)),
      KEK: efiVariable(['key-exchange-key']),
      db: efiVariable(dbRoles),
    },
  };
}

/**
 * loadKeys reads a key folder with all private keys in force.
 * @throws trust/key-missing, trust/key-unreadable, trust/wrong-passphrase, trust/certificate-invalid
 */
export async function loadKeys(dir: string, options: LoadKeysOptions = {}): Promise<KeyRing> {
  const ring = await readKeyRingFile(dir);
  const publicKeys = await loadPublicKeys(dir);
  const signer = async (role: KeyRole): Promise<Signer> => {
    const entry = currentEntry(ring, role);
    const privateKey = await readPrivateKeyFile(keyPaths(dir, entry).key, options.passphrase);
    return localSigner(privateKey, await readKeyCertificate(dir, entry));
  };
  return {
    ...publicKeys,
    signers: {
      'platform-key': await signer('platform-key'),
      'key-exchange-key': await signer('key-exchange-key'),
      boot: await signer('boot'),
      verity: await signer('verity'),
      pcr: await signer('pcr'),
      release: await signer('release'),
      'api-authority': await signer('api-authority'),
    },
  };
}
