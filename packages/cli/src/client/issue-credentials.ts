import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configDir, writeFileAtomic } from '@plinth/host';
import { issueClientCertificate, type KeyRing } from '@plinth/trust';

const TTL_SECONDS = 90 * 24 * 3600;
/** A certificate is replaced while it still works, so that no command meets one that has just expired. */
const RENEW_BEFORE_MS = 7 * 24 * 3600 * 1000;

/** Paths of a client certificate and its key, PEM. */
export interface CredentialFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * keepCredentials gives this user's administrator certificate for machines of this computer; made when there is none,
 * when it is about to expire, or when another authority is in force.
 * @throws trust/signing-failed, host/io
 */
export async function keepCredentials(
  keys: KeyRing,
  env: Readonly<Record<string, string | undefined>>,
  now: Date = new Date(),
): Promise<CredentialFiles> {
  const folder = join(configDir(env), 'clients');
  const files = { certificate: join(folder, 'admin.crt'), key: join(folder, 'admin.key') };
  const authority = keys.signers['api-authority'];
  const held = await readCertificateFile(files.certificate);
  const fits =
    held?.verify(authority.certificate.publicKey) &&
    held.validToDate.getTime() - now.getTime() > RENEW_BEFORE_MS &&
    (await readFile(files.key).then(
      () => true,
      () => false,
    ));
  if (fits) return files;
  const fresh = await issueClientCertificate(authority, {
    role: 'plinth:admin',
    name: 'local-admin',
    ttlSeconds: TTL_SECONDS,
    now,
  });
  await writeFileAtomic(files.key, fresh.privateKeyPem, 0o600);
  await writeFileAtomic(files.certificate, fresh.certificatePem);
  return files;
}

/** Whatever is wrong with the file, a new certificate mends it. */
async function readCertificateFile(path: string): Promise<X509Certificate | undefined> {
  try {
    return new X509Certificate(await readFile(path));
  } catch {
    return undefined;
  }
}
