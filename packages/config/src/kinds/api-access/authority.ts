import { X509Certificate } from 'node:crypto';

/** authorityProblem tells why a text is not the certificate of one authority in PEM; undefined when it is one. */
export function authorityProblem(pem: string): string | undefined {
  if ((pem.match(/-----BEGIN /g) ?? []).length !== 1) return 'expected exactly one certificate in PEM';
  try {
    const certificate = new X509Certificate(pem);
    return certificate.ca ? undefined : 'expected the certificate of an authority (basicConstraints CA:TRUE)';
  } catch {
    return 'expected a certificate in PEM';
  }
}
