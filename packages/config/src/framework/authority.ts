import { X509Certificate } from 'node:crypto';
import { z } from 'zod';

/** Certificates of authorities are around 1 KiB; RSA keys of 4096 bits and long names make 3. */
const PEM_LIMIT = 16 * 1024;

/** The certificate of one authority, PEM. */
export const authorityPem = z
  .string()
  .max(PEM_LIMIT)
  .superRefine((pem, context) => {
    const problem = authorityProblem(pem);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

/** authorityProblem tells why a text is not the certificate of one authority in PEM; undefined when it is one. */
function authorityProblem(pem: string): string | undefined {
  if ((pem.match(/-----BEGIN /g) ?? []).length !== 1) return 'expected exactly one certificate in PEM';
  try {
    const certificate = new X509Certificate(pem);
    return certificate.ca ? undefined : 'expected the certificate of an authority (basicConstraints CA:TRUE)';
  } catch {
    return 'expected a certificate in PEM';
  }
}
