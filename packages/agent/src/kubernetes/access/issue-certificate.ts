import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { fromBER, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  getCrypto,
  type RelativeDistinguishedNames,
  Time,
} from 'pkijs';

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
/** KeyUsage as a DER bit string with digitalSignature only (RFC 5280, 4.2.1.3). */
const DIGITAL_SIGNATURE = Buffer.from('03020780', 'hex');

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
  request: ClientCertificateRequest,
): Promise<{ readonly certificatePem: string; readonly keyPem: string; readonly notAfterMs: number }> {
  const authority = new X509Certificate(authorityPem);
  const authorityKey = createPrivateKey(authorityKeyPem);
  if (!authority.checkPrivateKey(authorityKey)) throw new Error('the key belongs to another authority');
  const notAfterMs = Math.min(request.notAfterMs, Date.parse(authority.validTo));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const engine = getCrypto(true);
  const certificate = new Certificate();
  certificate.version = 2; // X.509 v3
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0); // positive, without a leading zero
  certificate.serialNumber = new Integer({ valueHex: serial });
  certificate.issuer = subjectOf(authority);
  certificate.subject.typesAndValues.push(
    attribute('2.5.4.10', request.organisation),
    attribute('2.5.4.3', request.commonName),
  );
  certificate.notBefore = new Time({ type: 0, value: new Date(request.notBeforeMs) });
  certificate.notAfter = new Time({ type: 0, value: new Date(notAfterMs) });
  certificate.extensions = [
    new Extension({
      extnID: '2.5.29.19',
      critical: true,
      extnValue: new BasicConstraints({ cA: false }).toSchema().toBER(),
    }),
    new Extension({
      extnID: '2.5.29.15',
      critical: true,
      extnValue: new OctetString({ valueHex: DIGITAL_SIGNATURE }).getValue(),
    }),
    new Extension({
      extnID: '2.5.29.37',
      extnValue: new ExtKeyUsage({ keyPurposes: [CLIENT_AUTHENTICATION] }).toSchema().toBER(),
    }),
  ];
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  await certificate.subjectPublicKeyInfo.importKey(
    await engine.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
    engine,
  );
  const pkcs8 = authorityKey.export({ type: 'pkcs8', format: 'der' });
  const signer = await engine.importKey('pkcs8', pkcs8, signatureAlgorithm(authorityKey), false, ['sign']);
  await certificate.sign(signer, 'SHA-256', engine);
  return {
    certificatePem: new X509Certificate(Buffer.from(certificate.toSchema().toBER())).toString(),
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    notAfterMs,
  };
}

function attribute(type: string, value: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type, value: new Utf8String({ value }) });
}

/** The name as it stands in the authority: verifiers compare the bytes. */
function subjectOf(authority: X509Certificate): RelativeDistinguishedNames {
  const parsed = new Certificate({ schema: fromBER(authority.raw).result });
  return parsed.subject;
}

function signatureAlgorithm(key: KeyObject) {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };
  const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || !namedCurve)
    throw new Error(`its key is ${key.asymmetricKeyType}, expected RSA or ECDSA`);
  return { name: 'ECDSA', namedCurve };
}
