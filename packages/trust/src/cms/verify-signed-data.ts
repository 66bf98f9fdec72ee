import { verify } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { sha256 } from '@plinth/formats';
import type { Certificate } from '../certificate.ts';
import { type SignatureVerdict, signatureFails, signatureUnknown } from '../verdict.ts';
import {
  contextTag,
  type DerNode,
  der,
  derChildren,
  derTags,
  expectTag,
  objectIdentifier,
  octetString,
  readDer,
  sameBytes,
} from './der.ts';
import { oids } from './signed-data.ts';

/** The parts of a SignedData message with one signer. */
export interface SignedMessage {
  readonly contentType: Uint8Array;
  /** The content's element; absent when the content is elsewhere. */
  readonly content: DerNode | undefined;
  readonly issuerAndSerial: Uint8Array;
  readonly digestAlgorithm: Uint8Array;
  readonly signedAttributes: DerNode | undefined;
  readonly signature: Uint8Array;
}

/**
 * readSignedMessage takes a ContentInfo with a SignedData apart (RFC 5652). Exactly one signer is accepted.
 * @throws trust/signature-invalid
 */
export function readSignedMessage(bytes: Uint8Array): SignedMessage {
  const [type, wrapped] = derChildren(expectTag(readDer(bytes), derTags.sequence, 'message'));
  if (!type || !sameBytes(type.bytes, objectIdentifier(oids.signedData))) throw invalid('not signed data');
  const [signedData] = derChildren(expectTag(wrapped, contextTag(0), 'signed data'));
  const [, , encapsulated, ...rest] = derChildren(expectTag(signedData, derTags.sequence, 'signed data'));
  const [contentType, content] = derChildren(expectTag(encapsulated, derTags.sequence, 'content'));
  const signerInfos = derChildren(expectTag(rest.at(-1), derTags.set, 'signers'));
  const [signerInfo] = signerInfos;
  if (!signerInfo || signerInfos.length > 1) throw invalid(`${signerInfos.length} signers`);

  const [, issuerAndSerial, digestAlgorithm, ...tail] = derChildren(signerInfo);
  const signedAttributes = tail[0]?.tag === contextTag(0) ? tail[0] : undefined;
  const [, signature] = signedAttributes ? tail.slice(1) : tail;
  return {
    contentType: expectTag(contentType, derTags.oid, 'content type').bytes,
    content: content && derChildren(expectTag(content, contextTag(0), 'content'))[0],
    issuerAndSerial: expectTag(issuerAndSerial, derTags.sequence, 'signer').bytes,
    digestAlgorithm: expectTag(digestAlgorithm, derTags.sequence, 'digest algorithm').content,
    signedAttributes,
    signature: expectTag(signature, derTags.octetString, 'signature').content,
  };
}

/**
 * verifySignedMessage checks a message's one signature over some data against the certificates that are trusted.
 * Only SHA-256 counts; dates of certificates do not, as firmware and kernel do not look at them either.
 */
export function verifySignedMessage(
  message: SignedMessage,
  data: Uint8Array,
  trusted: readonly Certificate[],
): SignatureVerdict {
  if (trusted.length === 0) return signatureUnknown('no certificate was given to check it against');
  const [digestOid] = derChildren(readDer(der(derTags.sequence, message.digestAlgorithm)));
  if (!digestOid || !sameBytes(digestOid.bytes, objectIdentifier(oids.sha256))) {
    return signatureUnknown('it uses a digest other than SHA-256');
  }
  const certificate = trusted.find((candidate) =>
    sameBytes(candidate.issuerAndSerial, message.issuerAndSerial),
  );
  if (!certificate) return signatureFails('it was made with a key that is not trusted');
  const { signedAttributes } = message;
  if (signedAttributes && !attributesMatch(signedAttributes, message.contentType, data)) {
    return signatureFails('it signs other data');
  }
  const signed = signedAttributes ? der(derTags.set, signedAttributes.content) : data;
  if (!verify('sha256', signed, certificate.publicKey, message.signature)) {
    return signatureFails(`it does not verify with the key of ${certificate.subject}`);
  }
  return { verdict: 'pass', keyId: certificate.keyId, subject: certificate.subject };
}

/** asVerdict turns damage met while reading a signature into the verdict that it fails. */
export function asVerdict(check: () => SignatureVerdict): SignatureVerdict {
  try {
    return check();
  } catch (error) {
    if (error instanceof PlinthError && /^(trust\/signature|formats\/)/.test(error.code)) {
      return signatureFails(error.message);
    }
    throw error;
  }
}

/** With attributes, content type and digest must both be there and be right (RFC 5652, 5.3 and 11). */
function attributesMatch(attributes: DerNode, contentType: Uint8Array, data: Uint8Array): boolean {
  const attribute = (oid: string): Uint8Array | undefined => {
    const found = derChildren(attributes)
      .map(derChildren)
      .filter(([type]) => type && sameBytes(type.bytes, objectIdentifier(oid)));
    const values = found.length === 1 && found[0]?.[1] ? derChildren(found[0][1]) : [];
    return values.length === 1 ? values[0]?.bytes : undefined;
  };
  const [type, digest] = [attribute(oids.contentType), attribute(oids.messageDigest)];
  return (
    type !== undefined &&
    digest !== undefined &&
    sameBytes(type, contentType) &&
    sameBytes(digest, octetString(sha256(data)))
  );
}

function invalid(state: string): PlinthError {
  return new PlinthError('trust/signature-invalid', `Cannot read signature: ${state}, expected one signer`);
}
