import { createHash } from 'node:crypto';
import { SocketAddress } from 'node:net';
import { fromBER, Sequence } from 'asn1js';
import { AltName, CertificationRequest, Extensions, getCrypto } from 'pkijs';

/** What a certificate request (PKCS#10) asks for. */
export interface RequestContent {
  readonly commonName: string;
  readonly organisations: readonly string[];
  readonly dnsNames: readonly string[];
  /** In their one canonical form. */
  readonly addresses: readonly string[];
  /** Anything asked for that is not one of the above: other names, attributes or extensions. */
  readonly more: readonly string[];
  /** SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal. */
  readonly keyDigest: string;
  /** Whether the sender has the private key. */
  readonly signed: boolean;
}

const LIMIT_BYTES = 16 * 1024;
const COMMON_NAME = '2.5.4.3';
const ORGANISATION = '2.5.4.10';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/**
 * parseRequest reads the PEM of a request; undefined for anything that is not exactly one well-formed request of at
 * most 16 KiB.
 */
export async function parseRequest(pem: string): Promise<RequestContent | undefined> {
  if (pem.length > LIMIT_BYTES) return undefined;
  const body =
    /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/.exec(
      pem,
    )?.[1];
  if (body === undefined) return undefined;
  try {
    return await parseDer(Buffer.from(body, 'base64'));
  } catch {
    return undefined; // pkijs throws for any shape it does not know
  }
}

async function parseDer(der: Buffer): Promise<RequestContent | undefined> {
  const { offset, result } = fromBER(der);
  // Bytes that follow, or lengths that disagree: asn1js is lenient, another reader could see something else.
  if (offset !== der.length || !Buffer.from(result.toBER()).equals(der)) return undefined;
  const request = new CertificationRequest({ schema: result });
  const more: string[] = [];
  const commonNames: string[] = [];
  const organisations: string[] = [];
  for (const { type, value } of request.subject.typesAndValues) {
    const text: unknown = value.valueBlock.value;
    if (typeof text !== 'string') return undefined;
    if (type === COMMON_NAME) commonNames.push(text);
    else if (type === ORGANISATION) organisations.push(text);
    else more.push(`subject attribute ${type}`);
  }
  if (commonNames.length !== 1) return undefined;
  const names = readNames(request, more);
  const spki = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER());
  return {
    commonName: commonNames[0] ?? '',
    organisations,
    ...names,
    more,
    keyDigest: createHash('sha256').update(spki).digest('hex'),
    signed: await request.verify(getCrypto(true)).catch(() => false),
  };
}

function readNames(request: CertificationRequest, more: string[]) {
  const dnsNames: string[] = [];
  const addresses: string[] = [];
  for (const { type, values } of request.attributes ?? []) {
    const [wanted] = values as readonly unknown[];
    if (type !== EXTENSION_REQUEST || values.length !== 1 || !(wanted instanceof Sequence)) {
      more.push(`attribute ${type}`);
      continue;
    }
    for (const { extnID, parsedValue } of new Extensions({ schema: wanted }).extensions) {
      const parsed: unknown = parsedValue;
      if (extnID !== SUBJECT_ALTERNATIVE_NAME || !(parsed instanceof AltName)) {
        more.push(`extension ${extnID}`);
        continue;
      }
      for (const name of parsed.altNames) {
        const value: unknown = name.value;
        if (name.type === 2 && typeof value === 'string') dnsNames.push(value);
        else if (name.type === 7) addresses.push(addressOf(value, more));
        else more.push(`alternative name of kind ${name.type}`);
      }
    }
  }
  return { dnsNames, addresses: addresses.filter((address) => address !== '') };
}

function addressOf(value: unknown, more: string[]): string {
  const bytes = rawBytes(value);
  if (bytes?.length === 4) return [...bytes].join('.');
  if (bytes?.length === 16) {
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
    return canonicalAddress(groups.join(':'));
  }
  more.push('an address of unknown length');
  return '';
}

function rawBytes(value: unknown): Buffer | undefined {
  if (typeof value !== 'object' || value === null || !('valueBlock' in value)) return undefined;
  const { valueBlock } = value;
  if (typeof valueBlock !== 'object' || valueBlock === null || !('valueHexView' in valueBlock))
    return undefined;
  return valueBlock.valueHexView instanceof Uint8Array ? Buffer.from(valueBlock.valueHexView) : undefined;
}

/** canonicalAddress gives the one form of an IP address in which two are compared. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
