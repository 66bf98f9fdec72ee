import { generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { writeFileAtomic } from '@plinth/host';
import { type KeyEntry, keyPaths } from './key-ring-file.ts';
import { type KeyRole, keyRoles } from './key-roles.ts';
import { makeCertificate } from './make-certificate.ts';
import { encodePrivateKey } from './private-key-file.ts';

export interface NewKeyOptions {
  readonly organisation: string;
  readonly passphrase: string | undefined;
  readonly now: Date;
}

/** Keys outlive many releases; rotation, not expiry, ends them. Firmware and kernel do not look at the date. */
const VALIDITY_YEARS = 15;
const generate = promisify(generateKeyPair);

/** newKey makes a key pair with its self-signed certificate and writes both files of the entry it returns. */
export async function newKey(dir: string, role: KeyRole, options: NewKeyOptions): Promise<KeyEntry> {
  const { title, modulusBits } = keyRoles[role];
  const { publicKey, privateKey } = await generatePair(modulusBits);
  const notAfter = new Date(options.now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + VALIDITY_YEARS);
  const certificate = await makeCertificate(
    {
      commonName: `${options.organisation} ${title}`,
      organisation: options.organisation,
      publicKey,
      usage: role === 'api-authority' ? 'authority' : 'signing',
      notBefore: options.now,
      notAfter,
    },
    {
      keyType: modulusBits === undefined ? 'ec' : 'rsa',
      sign: async (data) => new Uint8Array(sign('sha256', data, privateKey)),
    },
  );
  const entry: KeyEntry = { role, fingerprint: certificate.keyId, created: options.now.toISOString() };
  const paths = keyPaths(dir, entry);
  await writeFileAtomic(paths.key, encodePrivateKey(privateKey, options.passphrase), 0o600);
  await writeFileAtomic(paths.certificate, certificate.pem, 0o644);
  return entry;
}

function generatePair(
  modulusBits: number | undefined,
): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return modulusBits === undefined
    ? generate('ec', { namedCurve: 'P-256' })
    : generate('rsa', { modulusLength: modulusBits });
}
