import { createHash, X509Certificate } from 'node:crypto';
import type { GuestFinding } from './guest-verdict.ts';

/** SHA-256 of the public keys (SubjectPublicKeyInfo) of the roots of processor makers. */
export const AMD_ROOTS: ReadonlyMap<string, string> = new Map([
  ['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9', 'ARK-Milan'],
  ['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831', 'ARK-Genoa'],
]);
export const INTEL_ROOTS: ReadonlyMap<string, string> = new Map([
  ['a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e', 'Intel SGX Root CA'],
]);

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const CERTIFICATES_MOST = 8;

/** A leaf that a known root vouches for, or why there is none. */
export interface MakerChain {
  readonly leaf?: X509Certificate;
  readonly root?: string;
  readonly findings: readonly GuestFinding[];
}

/**
 * verifyMakerChain looks for the way from the first certificate of a PEM text to a known root, in whatever order the others
 * are. It does not ask whether one was revoked.
 */
export function verifyMakerChain(pem: string, roots: ReadonlyMap<string, string>, nowMs: number): MakerChain {
  const texts = pem.match(PEM) ?? [];
  if (texts.length === 0 || texts.length > CERTIFICATES_MOST) {
    return refuse('malformed', `${texts.length} certificates are given, expected 2 to ${CERTIFICATES_MOST}`);
  }
  const certificates: X509Certificate[] = [];
  for (const text of texts) {
    const certificate = parse(text);
    if (!certificate) return refuse('malformed', 'a certificate or its key cannot be read');
    certificates.push(certificate);
  }
  const [leaf, ...others] = certificates;
  if (!leaf) return refuse('malformed', 'there is no certificate');
  let current = leaf;
  for (let steps = 0; steps < CERTIFICATES_MOST; steps++) {
    if (!isValidAt(current, nowMs)) return refuse('expired', `${nameOf(current)} is outside its validity`);
    const root = roots.get(keyDigest(current));
    // A root is known by its key, and signs itself.
    if (root !== undefined) return { leaf, root, findings: [] };
    const issuer = others.find((each) => each.ca && current.checkIssued(each));
    if (!issuer || issuer === current) {
      return refuse('unknown-authority', `nobody who is known here issued ${nameOf(current)}`);
    }
    if (!current.verify(issuer.publicKey)) {
      return refuse('bad-signature', `${nameOf(issuer)} did not sign ${nameOf(current)}`);
    }
    current = issuer;
  }
  return refuse('unknown-authority', 'the certificates go in a circle');
}

/** A certificate whose key can be read too: OpenSSL decodes that only when it is asked for, and throws then. */
function parse(text: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(text);
    return certificate.publicKey.type === 'public' ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

function keyDigest({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function nameOf({ subject }: X509Certificate): string {
  const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? 'a certificate without a name';
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80);
}

function refuse(reason: GuestFinding['reason'], message: string): MakerChain {
  return { findings: [{ reason, message }] };
}
