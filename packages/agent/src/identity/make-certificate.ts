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
  Time,
} from 'pkijs';

const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
/** KeyUsage as a DER bit string with digitalSignature only (RFC 5280, 4.2.1.3). */
const DIGITAL_SIGNATURE = Buffer.from('03020780', 'hex');

/**
 * The certificate has to hold on a machine whose clock is wrong: it begins before any such node existed and has no
 * end (RFC 5280, 4.1.2.5). Clients pin its fingerprint; its date never decides.
 */
const NOT_BEFORE = new Date('2025-01-01T00:00:00Z');
const NOT_AFTER = new Date('9999-12-31T23:59:59Z');

/** makeCertificate self-signs a server certificate for a host name with an ECDSA P-256 key; gives DER. */
export async function makeCertificate(
  hostName: string,
  publicKey: KeyObject,
  privateKey: KeyObject,
): Promise<Buffer> {
  const engine = getCrypto(true); // pkijs's wrapper of this process's Web Crypto
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const certificate = new Certificate();
  certificate.version = 2; // X.509 v3
  certificate.serialNumber = new Integer({ valueHex: positive(randomBytes(16)) });
  for (const name of [certificate.subject, certificate.issuer]) {
    name.typesAndValues.push(
      new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: hostName }) }),
    );
  }
  certificate.notBefore = new Time({ type: 0, value: NOT_BEFORE });
  certificate.notAfter = new Time({ type: 1, value: NOT_AFTER });
  certificate.extensions = extensions(hostName);
  await certificate.subjectPublicKeyInfo.importKey(
    await engine.importKey('spki', spki, algorithm, true, ['verify']),
    engine,
  );
  const signer = await engine.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  await certificate.sign(signer, 'SHA-256', engine);
  return Buffer.from(certificate.toSchema().toBER());
}

function extensions(hostName: string): Extension[] {
  const names = new GeneralNames({ names: [new GeneralName({ type: 2, value: hostName })] });
  const usage = new ExtKeyUsage({ keyPurposes: [SERVER_AUTHENTICATION] });
  const der = (extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }) =>
    new Extension({ extnID, critical, extnValue: value.toBER() });
  return [
    der(BASIC_CONSTRAINTS, true, new BasicConstraints({ cA: false }).toSchema()),
    new Extension({
      extnID: KEY_USAGE,
      critical: true,
      extnValue: new OctetString({ valueHex: DIGITAL_SIGNATURE }).getValue(),
    }),
    der(EXTENDED_KEY_USAGE, false, usage.toSchema()),
    der(SUBJECT_ALTERNATIVE_NAME, false, names.toSchema()),
  ];
}

/** A serial number is a positive integer: the top bit is clear, the next one set so that no leading zero appears. */
function positive(bytes: Buffer): Buffer {
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes;
}
