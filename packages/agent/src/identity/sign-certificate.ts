import { type KeyObject, randomBytes } from 'node:crypto';
import { Integer, OctetString, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  getCrypto,
  type RelativeDistinguishedNames,
  Time,
} from 'pkijs';

export const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

const COMMON_NAME = '2.5.4.3';
const ORGANISATION = '2.5.4.10';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** KeyUsage as a DER bit string with digitalSignature only (RFC 5280, 4.2.1.3). */
const DIGITAL_SIGNATURE = Buffer.from('03020780', 'hex');
/** With keyCertSign only. */
const CERTIFICATE_SIGNATURE = Buffer.from('03020204', 'hex');
export const AUTHORITY = 'authority';
/** From this year on a date has four digits of year (RFC 5280, 4.1.2.5). */
const GENERALIZED_TIME_FROM = 2050;

export interface CertificateRequest {
  readonly commonName: string;
  readonly organisation?: string;
  /** Host name of a server. */
  readonly hostName?: string;
  /** Object identifier of what it is for; "authority": it signs certificates of ends, and none of authorities. */
  readonly purpose: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of the holder: P-256. */
  readonly publicKey: KeyObject;
  /** Name of who signs; absent: the certificate's own. */
  readonly issuer?: RelativeDistinguishedNames;
  /** Of who signs: P-256, P-384 or RSA. */
  readonly signerKey: KeyObject;
}

/** signCertificate makes the certificate of one end entity, or of an authority (RFC 5280). Throws Error for a key it cannot use. @returns DER */
export async function signCertificate(request: CertificateRequest): Promise<Buffer> {
  const { publicKey, signerKey, commonName, organisation } = request;
  const engine = getCrypto(true); // pkijs's wrapper of this process's Web Crypto
  const certificate = new Certificate();
  certificate.version = 2; // X.509 v3
  certificate.serialNumber = new Integer({ valueHex: positive(randomBytes(16)) });
  certificate.subject.typesAndValues.push(
    ...(organisation === undefined ? [] : [attribute(ORGANISATION, organisation)]),
    attribute(COMMON_NAME, commonName),
  );
  certificate.issuer = request.issuer ?? certificate.subject;
  certificate.notBefore = time(request.notBefore);
  certificate.notAfter = time(request.notAfter);
  certificate.extensions = extensions(request);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  await certificate.subjectPublicKeyInfo.importKey(
    await engine.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
    engine,
  );
  const pkcs8 = signerKey.export({ type: 'pkcs8', format: 'der' });
  const signer = await engine.importKey('pkcs8', pkcs8, signatureAlgorithm(signerKey), false, ['sign']);
  await certificate.sign(signer, 'SHA-256', engine);
  return Buffer.from(certificate.toSchema().toBER());
}

function attribute(type: string, value: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type, value: new Utf8String({ value }) });
}

function time(value: Date): Time {
  return new Time({ type: value.getUTCFullYear() < GENERALIZED_TIME_FROM ? 0 : 1, value });
}

function extensions({ hostName, purpose }: CertificateRequest): Extension[] {
  const der = (extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }) =>
    new Extension({ extnID, critical, extnValue: value.toBER() });
  const names = (name: string) => new GeneralNames({ names: [new GeneralName({ type: 2, value: name })] });
  const keyUsage = (valueHex: Buffer) =>
    new Extension({
      ...{ extnID: KEY_USAGE, critical: true },
      extnValue: new OctetString({ valueHex }).getValue(),
    });
  if (purpose === AUTHORITY) {
    const constraints = new BasicConstraints({ cA: true, pathLenConstraint: 0 });
    return [der(BASIC_CONSTRAINTS, true, constraints.toSchema()), keyUsage(CERTIFICATE_SIGNATURE)];
  }
  return [
    der(BASIC_CONSTRAINTS, true, new BasicConstraints({ cA: false }).toSchema()),
    keyUsage(DIGITAL_SIGNATURE),
    der(EXTENDED_KEY_USAGE, false, new ExtKeyUsage({ keyPurposes: [purpose] }).toSchema()),
    ...(hostName === undefined ? [] : [der(SUBJECT_ALTERNATIVE_NAME, false, names(hostName).toSchema())]),
  ];
}

/** A serial number is a positive integer: the top bit is clear, the next one set so that no leading zero appears. */
function positive(bytes: Buffer): Buffer {
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes;
}

function signatureAlgorithm(key: KeyObject) {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };
  const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || !namedCurve)
    throw new Error(`its key is ${key.asymmetricKeyType}, expected RSA or ECDSA`);
  return { name: 'ECDSA', namedCurve };
}
