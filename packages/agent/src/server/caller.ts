import type { PeerCertificate } from 'node:tls';
import { createContextKey } from '@connectrpc/connect';

/** Roles a client certificate can carry as its organisation, and nothing else may. */
export const roles = ['plinth:admin', 'plinth:operator', 'plinth:reader'] as const;
export type Role = (typeof roles)[number];

/** A client as its certificate names it. */
export interface Caller {
  readonly commonName: string;
  /** One of `roles`, or a role of the owner's own. */
  readonly role: string;
  /** SHA-256 of the certificate, "sha256:" and lower-case hexadecimal; absent where TLS showed none (tests). */
  readonly certificate?: string;
  /** Begin of its validity. */
  readonly validFromMs?: number;
}

/** The role of callers without a certificate. No certificate can carry it: it is not among `roles`, and own roles have no colon. */
export const STRANGER = 'plinth:stranger';

/** strangerAt is whoever calls from an address without a certificate: each address is a client of its own. */
export function strangerAt(address: string | undefined): CallerVerdict {
  // An IPv4 address as a listener of both families sees it.
  const shown = address?.replace(/^::ffff:(?=\d)/, '') ?? 'an address that is gone';
  return { ok: true, caller: { commonName: `stranger at ${shown}`, role: STRANGER } };
}

export type CallerVerdict =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly commonName: string; readonly reason: string };

/** Who calls, put into each request's context when it arrives. */
export const callerKey = createContextKey<CallerVerdict>({
  ok: false,
  commonName: '',
  reason: 'not identified',
});
/** Address of the client, for the record. */
export const peerKey = createContextKey('');

type CallerCertificate = Pick<PeerCertificate, 'subject' | 'valid_from' | 'valid_to'> & {
  readonly fingerprint256?: string;
};

/**
 * identifyCaller judges a certificate whose chain TLS has already verified: exactly one organisation, which is a role of
 * Plinth or of the machine config, and a validity that still holds. TLS looked at the dates once; a connection can live
 * longer than that.
 */
export function identifyCaller(
  certificate: CallerCertificate | undefined,
  nowMs: number,
  ownRoles: readonly string[] = [],
): CallerVerdict {
  const subject = certificate?.subject;
  const commonName = typeof subject?.CN === 'string' ? subject.CN : '';
  if (!certificate || !subject) return { ok: false, commonName, reason: 'no client certificate' };
  if (commonName === '')
    return { ok: false, commonName, reason: 'the certificate needs exactly one common name' };
  const organisation: unknown = subject.O;
  const role = [...roles, ...ownRoles].find((name) => name === organisation);
  if (!role)
    return {
      ok: false,
      commonName,
      reason: `its organisation is not one of ${[...roles, ...ownRoles].join(', ')}`,
    };
  const valid = Date.parse(certificate.valid_from) <= nowMs && nowMs <= Date.parse(certificate.valid_to);
  if (!valid) return { ok: false, commonName, reason: 'the certificate is outside its validity' };
  const fingerprint = certificate.fingerprint256?.replaceAll(':', '').toLowerCase();
  return {
    ok: true,
    caller: {
      commonName,
      role,
      ...(fingerprint && { certificate: `sha256:${fingerprint}` }),
      validFromMs: Date.parse(certificate.valid_from),
    },
  };
}
