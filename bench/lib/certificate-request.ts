import { generateKeyPairSync } from 'node:crypto';
import { OctetString, PrintableString } from 'asn1js';
import {
  Attribute,
  AttributeTypeAndValue,
  CertificationRequest,
  Extension,
  Extensions,
  GeneralName,
  GeneralNames,
  getCrypto,
} from 'pkijs';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Names of a serving certificate. */
export interface ServingNames {
  readonly dnsName: string;
  /** IPv4. */
  readonly address: string;
}

/** nodeCertificateRequest makes a P-256 key and the request (PKCS#10) a kubelet makes for it; both PEM. */
export async function nodeCertificateRequest(
  nodeName: string,
  names?: ServingNames,
): Promise<{ readonly keyPem: string; readonly requestPem: string }> {
  const engine = getCrypto(true);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const request = new CertificationRequest();
  request.subject.typesAndValues.push(
    attribute('2.5.4.10', 'system:nodes'),
    attribute('2.5.4.3', `system:node:${nodeName}`),
  );
  request.attributes = names ? [servingNames(names)] : [];
  await request.subjectPublicKeyInfo.importKey(
    await engine.importKey('spki', spki, algorithm, true, ['verify']),
    engine,
  );
  await request.sign(await engine.importKey('pkcs8', pkcs8, algorithm, false, ['sign']), 'SHA-256', engine);
  const body = Buffer.from(request.toSchema().toBER()).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    requestPem: `-----BEGIN CERTIFICATE REQUEST-----\n${body.trimEnd()}\n-----END CERTIFICATE REQUEST-----\n`,
  };
}

function attribute(type: string, value: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type, value: new PrintableString({ value }) });
}

function servingNames({ dnsName, address }: ServingNames): Attribute {
  const names = new GeneralNames({
    names: [
      new GeneralName({ type: DNS_NAME, value: dnsName }),
      new GeneralName({
        type: IP_ADDRESS,
        value: new OctetString({ valueHex: Uint8Array.from(address.split('.'), Number) }),
      }),
    ],
  });
  const extension = new Extension({
    extnID: SUBJECT_ALTERNATIVE_NAME,
    extnValue: names.toSchema().toBER(),
  });
  return new Attribute({
    type: EXTENSION_REQUEST,
    values: [new Extensions({ extensions: [extension] }).toSchema()],
  });
}
