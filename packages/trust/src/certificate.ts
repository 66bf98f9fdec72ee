import { type KeyObject, X509Certificate } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { hex, sha256 } from '@plinth/formats';
import { contextTag, derChildren, derTags, expectTag, readDer, sequence } from './cms/der.ts';
import { toPem } from './pem.ts';

/** An X.509 certificate, with the parts that signatures refer to as they stand in it. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly publicKey: KeyObject;
  /** SHA-256 of the public key (SubjectPublicKeyInfo in DER), hex: names the key whatever certificate it has. */
  readonly keyId: string;
  /** "CN=…, O=…", for people. */
  readonly subject: string;
  readonly notAfter: Date;
  /** IssuerAndSerialNumber as CMS names a signer (RFC 5652, 10.2.4), DER. */
  readonly issuerAndSerial: Uint8Array;
}

/**
 * readCertificate reads one certificate in PEM or DER.
 * @throws trust/certificate-invalid
 */
export function readCertificate(encoded: string | Uint8Array): Certificate {
  try {
    const x509 = new X509Certificate(encoded);
    const der = new Uint8Array(x509.raw);
    return {
      der,
      pem: toPem('CERTIFICATE', der),
      publicKey: x509.publicKey,
      keyId: publicKeyId(x509.publicKey),
      subject: x509.subject.split('\n').join(', '),
      notAfter: new Date(x509.validTo),
      issuerAndSerial: issuerAndSerialOf(der),
    };
  } catch (reason) {
    throw PlinthError.from(reason, 'trust/certificate-invalid', 'Cannot read certificate');
  }
}

/** publicKeyId is the SHA-256 of a public key's SubjectPublicKeyInfo, hex. */
export function publicKeyId(key: KeyObject): string {
  return hex(sha256(key.export({ type: 'spki', format: 'der' })));
}

/** TBSCertificate (RFC 5280, 4.1): [0] version, serial number, signature algorithm, issuer, … */
function issuerAndSerialOf(certificate: Uint8Array): Uint8Array {
  const [body] = derChildren(readDer(certificate));
  const fields = derChildren(expectTag(body, derTags.sequence, 'certificate body'));
  const [serial, , issuer] = fields[0]?.tag === contextTag(0) ? fields.slice(1) : fields;
  return sequence(
    expectTag(issuer, derTags.sequence, 'issuer').bytes,
    expectTag(serial, derTags.integer, 'serial number').bytes,
  );
}
