import type { KeyObject } from 'node:crypto';
import { SERVER_AUTHENTICATION, signCertificate } from './sign-certificate.ts';

/**
 * The certificate has to hold on a machine whose clock is wrong: it begins before any such node existed and has no
 * end (RFC 5280, 4.1.2.5). Clients pin its fingerprint; its date never decides.
 */
const NOT_BEFORE = new Date('2025-01-01T00:00:00Z');
const NOT_AFTER = new Date('9999-12-31T23:59:59Z');

/** makeCertificate self-signs a server certificate for a host name with an ECDSA P-256 key; gives DER. */
export function makeCertificate(
  hostName: string,
  publicKey: KeyObject,
  privateKey: KeyObject,
): Promise<Buffer> {
  return signCertificate({
    ...{ commonName: hostName, hostName, purpose: SERVER_AUTHENTICATION },
    ...{ notBefore: NOT_BEFORE, notAfter: NOT_AFTER, publicKey, signerKey: privateKey },
  });
}
