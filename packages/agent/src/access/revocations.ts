import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  isFingerprint,
  REVOCATIONS_LIMIT,
  type Revocation,
  type Revocations,
  RevocationsSchema,
  revocationsToSign,
  type SignedRevocations,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { Caller } from '../server/caller.ts';

const NAME_LIMIT = 64;
const REASON_LIMIT = 256;

/**
 * verifyRevocations reads a list that one of the authorities signed.
 * @param authorities certificates, PEM
 * @throws access/revocations-invalid, access/revocations-unsigned
 */
export function verifyRevocations(
  { list, signature }: Pick<SignedRevocations, 'list' | 'signature'>,
  authorities: readonly string[],
): Revocations {
  const signed = revocationsToSign(list);
  const known = authorities.some((pem) => isSignature(signature, signed, new X509Certificate(pem).publicKey));
  if (!known) {
    throw new PlinthError(
      'access/revocations-unsigned',
      'Cannot take the revocations: their signature is by no client authority of this node, expected one of them',
    );
  }
  return readRevocations(list);
}

/** Keys of Edwards curves have a digest of their own, and OpenSSL fails for another. */
function isSignature(signature: Uint8Array, signed: Uint8Array, key: KeyObject): boolean {
  const digest = /^ed/.test(key.asymmetricKeyType ?? '') ? null : 'sha256';
  return verify(digest, signed, key, signature);
}

/** readRevocations reads the list itself. @throws access/revocations-invalid */
export function readRevocations(list: Uint8Array): Revocations {
  let read: Revocations;
  try {
    read = fromBinary(RevocationsSchema, list);
  } catch (reason) {
    throw PlinthError.from(reason, 'access/revocations-invalid', 'Cannot read the revocations');
  }
  const problem = problemOf(read);
  if (problem === undefined) return read;
  throw new PlinthError('access/revocations-invalid', `Cannot use the revocations: ${problem}`);
}

function problemOf({ version, revocations }: Revocations): string | undefined {
  if (version < 1n || version > BigInt(Number.MAX_SAFE_INTEGER))
    return `their version is ${version}, expected one from 1 up`;
  if (revocations.length > REVOCATIONS_LIMIT)
    return `they are ${revocations.length}, expected at most ${REVOCATIONS_LIMIT}`;
  const wrong = revocations.findIndex((each) => !isWhole(each));
  return wrong < 0
    ? undefined
    : `number ${wrong + 1} names no certificate, expected a fingerprint, or a name and issued_until`;
}

function isWhole({ certificate, issuedUntil, reason }: Revocation): boolean {
  if (reason.length > REASON_LIMIT) return false;
  if (certificate.case === 'fingerprint') return isFingerprint(certificate.value);
  return (
    certificate.case === 'name' &&
    certificate.value !== '' &&
    certificate.value.length <= NAME_LIMIT &&
    issuedUntil !== undefined
  );
}

/** findRevocation gives the entry that a caller's certificate falls under; undefined when it is accepted. */
export function findRevocation(list: Revocations | undefined, caller: Caller): Revocation | undefined {
  return list?.revocations.find(({ certificate, issuedUntil }) => {
    if (certificate.case === 'fingerprint') return certificate.value === caller.certificate;
    if (certificate.case !== 'name' || certificate.value !== caller.commonName || !issuedUntil) return false;
    // A certificate whose begin is not known is not newer than the list.
    return (caller.validFromMs ?? Number.NEGATIVE_INFINITY) <= timestampMs(issuedUntil);
  });
}
