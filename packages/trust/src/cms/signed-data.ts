import { sha256 } from '@plinth/formats';
import type { Signer } from '../signer.ts';
import {
  algorithm,
  contextTag,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
} from './der.ts';

export const oids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  rsaEncryption: '1.2.840.113549.1.1.1',
} as const;

export interface SignedDataOptions {
  /** What is signed; for an embedded content the content octets of `embedded`. */
  readonly data: Uint8Array;
  /** Type of the content; default: plain data. */
  readonly contentType?: string;
  /** The content's DER, put into the message; absent: detached. */
  readonly embedded?: Uint8Array;
  /** Whether content type and digest are signed as attributes instead of the data itself. */
  readonly signedAttributes: boolean;
  readonly includeCertificate: boolean;
}

/**
 * encodeSignedData makes a SignedData (RFC 5652, 5.1) with one signer by RSA and SHA-256, no time in it: the same
 * input gives the same bytes. Without attributes and certificates it is what `openssl smime -sign -binary -noattr
 * -nocerts -outform der` writes.
 */
export async function encodeSignedData(signer: Signer, options: SignedDataOptions): Promise<Uint8Array> {
  const contentType = objectIdentifier(options.contentType ?? oids.data);
  const content = options.embedded
    ? sequence(contentType, der(contextTag(0), options.embedded))
    : sequence(contentType);
  const attributes = options.signedAttributes ? attributesOf(contentType, options.data) : [];
  // Signed as a SET OF, sent with an implicit tag (RFC 5652, 5.4).
  const signature = await signer.sign(options.signedAttributes ? setOf(...attributes) : options.data);
  const signerInfo = sequence(
    integer(1),
    signer.certificate.issuerAndSerial,
    algorithm(oids.sha256),
    ...(options.signedAttributes ? [der(contextTag(0), ...attributes.toSorted(Buffer.compare))] : []),
    algorithm(oids.rsaEncryption),
    octetString(signature),
  );
  return sequence(
    integer(1),
    setOf(algorithm(oids.sha256)),
    content,
    ...(options.includeCertificate ? [der(contextTag(0), signer.certificateDer)] : []),
    setOf(signerInfo),
  );
}

/** contentInfo wraps a SignedData as files and firmware expect it (RFC 5652, 3). */
export function contentInfo(signedData: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oids.signedData), der(contextTag(0), signedData));
}

function attributesOf(contentType: Uint8Array, data: Uint8Array): Uint8Array[] {
  return [
    sequence(objectIdentifier(oids.contentType), setOf(contentType)),
    sequence(objectIdentifier(oids.messageDigest), setOf(octetString(sha256(data)))),
  ];
}
