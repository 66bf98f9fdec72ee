import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import type { Certificate } from '../certificate.ts';
import { signEfiVariable } from '../signatures/efi-variable.ts';
import { keyRoleNames } from './key-roles.ts';
import { loadKeys, loadPublicKeys, type PublicKeys } from './load-keys.ts';

/** pem, der: one file a certificate. esl: EFI signature lists. auth: signed variables that firmware enrols. */
export type KeyExportFormat = 'pem' | 'der' | 'esl' | 'auth';

export interface ExportKeysOptions {
  /** Needed for "auth" when the keys are encrypted: PK and KEK sign the variables. */
  readonly passphrase?: string;
  readonly now?: Date;
}

/**
 * exportKeys writes what others need of a key folder, never a private key. Gives the paths it wrote.
 * @throws trust/key-missing, trust/key-unreadable, trust/wrong-passphrase, host/io, host/disk-full
 */
export async function exportKeys(
  dir: string,
  outDir: string,
  format: KeyExportFormat,
  options: ExportKeysOptions = {},
): Promise<string[]> {
  const files =
    format === 'auth' ? await signedVariables(dir, options) : publicFiles(await loadPublicKeys(dir), format);
  const written: string[] = [];
  for (const [name, content] of files) {
    const path = join(outDir, name);
    await writeFileAtomic(path, content);
    written.push(path);
  }
  return written;
}

function publicFiles(keys: PublicKeys, format: 'pem' | 'der' | 'esl'): [string, string | Uint8Array][] {
  if (format === 'esl') {
    return Object.entries(keys.efiVariables).map(([name, content]) => [`${name}.esl`, content]);
  }
  const contentOf = (certificate: Certificate) => (format === 'pem' ? certificate.pem : certificate.der);
  return keyRoleNames.flatMap((role) =>
    keys.certificates(role).map((certificate, index): [string, string | Uint8Array] => {
      const suffix = index === 0 ? '' : `-retired-${certificate.keyId.slice(0, 12)}`;
      return [`${role}${suffix}.${format === 'pem' ? 'crt' : 'der'}`, contentOf(certificate)];
    }),
  );
}

/** Each variable is signed by the key above it (UEFI 2.10, 32.3); PK signs itself, as firmware in setup mode wants it. */
async function signedVariables(dir: string, options: ExportKeysOptions): Promise<[string, Uint8Array][]> {
  const { signers, efiVariables } = await loadKeys(dir, options);
  const now = options.now ?? new Date();
  const [platformKey, exchangeKey] = [signers['platform-key'], signers['key-exchange-key']];
  return [
    ['PK.auth', await signEfiVariable(platformKey, 'PK', efiVariables.PK, now)],
    ['KEK.auth', await signEfiVariable(platformKey, 'KEK', efiVariables.KEK, now)],
    ['db.auth', await signEfiVariable(exchangeKey, 'db', efiVariables.db, now)],
  ];
}
