import { type KeyObject, randomBytes } from 'node:crypto';
import { encodeText } from '@plinth/formats';
import { BitString, fromBER, Integer } from 'asn1js';
import {
  AlgorithmIdentifier,
  BasicConstraints,
  Extension,
  ExtKeyUsage,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  Time,
  Certificate as X509,
} from 'pkijs';
import { type Certificate, readCertificate } from '../certificate.ts';
import { der, objectIdentifier, sequence, setOf } from '../cms/der.ts';

export interface CertificateRequest {
  readonly commonName: string;
  readonly organisation: string;
  readonly publicKey: KeyObject;
  readonly usage: 'authority' | 'signing' | 'client';
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateIssuer {
  /** Absent: the certificate signs itself. */
  readonly certificate?: Certificate;
  readonly keyType: 'rsa' | 'ec';
  sign(data: Uint8Array): Promise<Uint8Array>;
}

const oids = {
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  clientAuthentication: '1.3.6.1.5.5.7.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

const UTF8_STRING = 0x0c;
/** KeyUsage as DER bit strings (RFC 5280, 4.2.1.3). */
const DIGITAL_SIGNATURE = Uint8Array.of(3, 2, 7, 0x80);
const CERTIFICATE_AND_CRL_SIGN = Uint8Array.of(3, 2, 1, 0x06);

/**
 * makeCertificate makes an X.509 version 3 certificate with a random 128-bit serial number. The private key stays
 * with the issuer: only the bytes to sign go there.
 */
export async function makeCertificate(
  request: CertificateRequest,
  issuer: CertificateIssuer,
): Promise<Certificate> {
  const x509 = new X509();
  x509.version = 2; // counted from 0
  x509.serialNumber = new Integer({ valueHex: randomSerial() });
  x509.subject = nameOf(request);
  x509.issuer = issuer.certificate ? subjectOf(issuer.certificate) : nameOf(request);
  x509.notBefore = timeOf(request.notBefore);
  x509.notAfter = timeOf(request.notAfter);
  const publicKey = request.publicKey.export({ type: 'spki', format: 'der' });
  x509.subjectPublicKeyInfo = new PublicKeyInfo({ schema: fromBER(publicKey).result });
  x509.extensions = extensionsOf(request.usage);
  const algorithm = new AlgorithmIdentifier({
    algorithmId: issuer.keyType === 'rsa' ? oids.sha256WithRsa : oids.ecdsaWithSha256,
  });
  x509.signature = algorithm;
  x509.signatureAlgorithm = algorithm;
  const body = new Uint8Array(x509.encodeTBS().toBER());
  x509.tbsView = body;
  x509.signatureValue = new BitString({ valueHex: await issuer.sign(body) });
  return readCertificate(new Uint8Array(x509.toSchema().toBER()));
}

/** pkijs itself would put all attributes into one RelativeDistinguishedName; each must have its own (RFC 5280, 4.1.2.4). */
function nameOf({ commonName, organisation }: CertificateRequest): RelativeDistinguishedNames {
  const attribute = (type: string, value: string) =>
    setOf(sequence(objectIdentifier(type), der(UTF8_STRING, encodeText(value))));
  const name = sequence(attribute(oids.organisation, organisation), attribute(oids.commonName, commonName));
  return new RelativeDistinguishedNames({ schema: fromBER(new Uint8Array(name)).result });
}

function subjectOf(certificate: Certificate): RelativeDistinguishedNames {
  return X509.fromBER(certificate.der).subject;
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
function timeOf(value: Date): Time {
  return new Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value });
}

function extensionsOf(usage: CertificateRequest['usage']): Extension[] {
  const authority = usage === 'authority';
  const constraints = new BasicConstraints({ cA: authority, ...(authority ? { pathLenConstraint: 0 } : {}) });
  const extension = (extnID: string, critical: boolean, extnValue: ArrayBuffer) =>
    new Extension({ extnID, critical, extnValue });
  return [
    extension(oids.basicConstraints, true, constraints.toSchema().toBER()),
    extension(oids.keyUsage, true, (authority ? CERTIFICATE_AND_CRL_SIGN : DIGITAL_SIGNATURE).buffer),
    ...(usage === 'client'
      ? [
          extension(
            oids.extendedKeyUsage,
            false,
            new ExtKeyUsage({ keyPurposes: [oids.clientAuthentication] }).toSchema().toBER(),
          ),
        ]
      : []),
  ];
}

/** A positive number of full length: the top bit is clear, the next one set (RFC 5280, 4.1.2.2). */
function randomSerial(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}
