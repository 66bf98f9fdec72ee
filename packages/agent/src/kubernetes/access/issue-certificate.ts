import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { fromBER } from 'asn1js';
import { Certificate } from 'pkijs';
import { CLIENT_AUTHENTICATION, signCertificate } from '../../identity/sign-certificate.ts';

export interface ClientCertificateRequest {
  readonly commonName: string;
  readonly organisation: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * issueClientCertificate makes a P-256 key and a client certificate for it, signed with an authority's RSA or ECDSA
 * key. The end of the authority ends it too.
 * @returns PEM, and when it ends
 * @throws Error when key and certificate of the authority cannot be used
 */
export async function issueClientCertificate(
  authorityPem: string,
  authorityKeyPem: string,
  { commonName, organisation, notBeforeMs, ...request }: ClientCertificateRequest,
): Promise<{ readonly certificatePem: string; readonly keyPem: string; readonly notAfterMs: number }> {
  const authority = new X509Certificate(authorityPem);
  const signerKey = createPrivateKey(authorityKeyPem);
  if (!authority.checkPrivateKey(signerKey)) throw new Error('the key belongs to another authority');
  const notAfterMs = Math.min(request.notAfterMs, Date.parse(authority.validTo));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = await signCertificate({
    ...{ commonName, organisation, purpose: CLIENT_AUTHENTICATION, publicKey, signerKey },
    ...{ notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) },
    // The name as it stands in the authority: verifiers compare the bytes.
    issuer: new Certificate({ schema: fromBER(authority.raw).result }).subject,
  });
  return {
    certificatePem: new X509Certificate(der).toString(),
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    notAfterMs,
  };
}
