import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { isFingerprint, REVOCATIONS_LIMIT, RevocationsSchema, revocationsToSign } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { Signer } from '@plinth/trust';
import type { Issued, Ledger, Revoked } from './ledger.ts';

/** The longest that a certificate can live: a name is revoked for as long as one of its certificates could be valid. */
const LONGEST_MS = 400 * 24 * 3600 * 1000;
/** Clocks of nodes and owner differ a little, and certificates begin a little before they are issued. */
const SKEW_MS = 10 * 60 * 1000;

/** withIssued adds a certificate and forgets those that have expired. */
export function withIssued(ledger: Ledger, issued: Issued, now: Date): Ledger {
  const valid = ledger.issued.filter(({ expiresAt }) => Date.parse(expiresAt) > now.getTime());
  return { ...ledger, issued: [...valid, issued] };
}

/**
 * withRevoked takes back the certificates that `what` names: one, by its fingerprint or the start of it, or all of a name.
 * What has expired leaves the list. A name is also revoked by itself, for certificates that another copy of the ledger knows.
 * @throws access/not-issued, access/ledger-invalid
 */
export function withRevoked(ledger: Ledger, what: string, reason: string, now: Date): Ledger {
  const pending = ledger.revoked.filter(({ expiresAt }) => Date.parse(expiresAt) + SKEW_MS > now.getTime());
  const added = entriesFor(ledger, what, reason, now);
  const revoked = [...pending.filter((each) => !added.some((other) => isSame(each, other))), ...added];
  if (revoked.length > REVOCATIONS_LIMIT) {
    throw new PlinthError(
      'access/ledger-invalid',
      `Cannot revoke "${what}": ${revoked.length} certificates would be revoked, expected at most ${REVOCATIONS_LIMIT}`,
      { hint: 'Rotate the client authority instead: "plinth keys rotate api-authority".' },
    );
  }
  return { ...ledger, version: ledger.version + 1, revoked };
}

function entriesFor({ issued }: Ledger, what: string, reason: string, now: Date): readonly Revoked[] {
  const byPrint = what.startsWith('sha256:')
    ? issued.filter(({ fingerprint }) => fingerprint.startsWith(what))
    : [];
  const [one, ...more] = byPrint;
  if (one && more.length === 0) return [{ fingerprint: one.fingerprint, expiresAt: one.expiresAt, reason }];
  const unlimited = new Date(now.getTime() + LONGEST_MS).toISOString();
  // Issued elsewhere: how long it lives is not known here.
  if (isFingerprint(what)) return [{ fingerprint: what, expiresAt: unlimited, reason }];
  // People who log in have names that no key folder knows; see LoginService.
  const isKnown = what.startsWith('oidc:') || issued.some(({ name }) => name === what);
  if (!what.startsWith('sha256:') && isKnown)
    return [{ name: what, issuedUntil: now.toISOString(), expiresAt: unlimited, reason }];
  throw new PlinthError(
    'access/not-issued',
    `Cannot revoke "${what}": ${byPrint.length === 0 ? 'no certificate is' : `${byPrint.length} certificates are`} known by that, expected a name or one fingerprint`,
  );
}

function isSame(left: Revoked, right: Revoked): boolean {
  return left.fingerprint === right.fingerprint && left.name === right.name;
}

/** isRevoked tells whether a certificate falls under the ledger's list. */
export function isRevoked({ revoked }: Ledger, certificate: Issued): boolean {
  return revoked.some(
    ({ fingerprint, name, issuedUntil = '' }) =>
      fingerprint === certificate.fingerprint ||
      (name === certificate.name && Date.parse(certificate.issuedAt) <= Date.parse(issuedUntil)),
  );
}

/** signRevocations makes the list that nodes take. @throws trust/signing-failed */
export async function signRevocations({ version, revoked }: Ledger, authority: Signer, now: Date) {
  const at = (text: string) => timestampFromDate(new Date(text));
  const list = toBinary(
    RevocationsSchema,
    create(RevocationsSchema, {
      version: BigInt(version),
      issuedAt: timestampFromDate(now),
      revocations: revoked.map(({ fingerprint, name = '', issuedUntil, expiresAt, reason }) => ({
        certificate:
          fingerprint === undefined
            ? { case: 'name' as const, value: name }
            : { case: 'fingerprint' as const, value: fingerprint },
        ...(issuedUntil !== undefined && { issuedUntil: at(issuedUntil) }),
        ...{ expiresAt: at(expiresAt), reason },
      })),
    }),
  );
  return { list, signature: await authority.sign(revocationsToSign(list)) };
}
