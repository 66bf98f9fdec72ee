import { generateKeyPairSync } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import type { Signer } from '../signer.ts';
import { makeCertificate } from './make-certificate.ts';
import { encodePrivateKey } from './private-key-file.ts';

/** What a caller of the node API may do; the certificate's organisation. */
export const apiRoles = ['plinth:admin', 'plinth:operator', 'plinth:reader'] as const;
export type ApiRole = (typeof apiRoles)[number];

export interface ClientCertificateRequest {
  /** One of `apiRoles`, or a role of the owner's own as a machine config names it: "log-reader". */
  readonly role: string;
  /** Who: the certificate's common name, shown in audit records. */
  readonly name: string;
  readonly ttlSeconds: number;
  readonly now?: Date;
}

export interface ClientCertificate {
  readonly certificatePem: string;
  /** Secret. */
  readonly privateKeyPem: string;
  readonly notAfter: Date;
}

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$/;
/** Without a colon, which the built-in ones have. */
const OWN_ROLE_PATTERN = /^[a-z][a-z0-9-]{0,31}$/;
const TTL_LIMIT_SECONDS = 400 * 24 * 3600;
/** Nodes whose clock is a little behind must not refuse a fresh certificate. */
const CLOCK_SKEW_SECONDS = 300;

/**
 * issueClientCertificate makes a key pair and a certificate for a caller of the node API (ECDSA P-256).
 * @param authority the key ring's "api-authority" signer
 * @throws trust/request-invalid, trust/signing-failed
 */
export async function issueClientCertificate(
  authority: Signer,
  request: ClientCertificateRequest,
): Promise<ClientCertificate> {
  const { role, name, ttlSeconds, now = new Date() } = request;
  if (!apiRoles.some((known) => known === role) && !OWN_ROLE_PATTERN.test(role))
    throw refuse(
      `role "${role}"`,
      `one of ${apiRoles.join(', ')}, or a name of lower-case letters, digits and hyphens`,
    );
  if (!NAME_PATTERN.test(name)) throw refuse(`name "${name}"`, '1 to 64 letters, digits or @ . _ -');
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > TTL_LIMIT_SECONDS) {
    throw refuse(`a lifetime of ${ttlSeconds} seconds`, `1 to ${TTL_LIMIT_SECONDS}`);
  }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const notAfter = new Date(now.getTime() + ttlSeconds * 1000);
  const { publicKey: authorityKey } = authority.certificate;
  const certificate = await makeCertificate(
    {
      commonName: name,
      organisation: role,
      publicKey,
      usage: 'client',
      notBefore: new Date(now.getTime() - CLOCK_SKEW_SECONDS * 1000),
      notAfter,
    },
    {
      certificate: authority.certificate,
      keyType: authorityKey.asymmetricKeyType === 'ec' ? 'ec' : 'rsa',
      sign: (data) => authority.sign(data),
    },
  );
  return {
    certificatePem: certificate.pem,
    privateKeyPem: encodePrivateKey(privateKey, undefined),
    notAfter,
  };
}

function refuse(state: string, expected: string): PlinthError {
  return new PlinthError(
    'trust/request-invalid',
    `Cannot issue client certificate: ${state}, expected ${expected}`,
  );
}
