import type { PeerCertificate } from 'node:tls';

/** Roles a client certificate can carry as its organisation, and nothing else may. */
export const roles = ['plinth:admin', 'plinth:operator', 'plinth:reader'] as const;
export type Role = (typeof roles)[number];

/** A client as its certificate names it. */
export interface Caller {
  readonly commonName: string;
  readonly role: Role;
}

export type CallerVerdict =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly commonName: string; readonly reason: string };

type CallerCertificate = Pick<PeerCertificate, 'subject' | 'valid_from' | 'valid_to'>;

/**
 * identifyCaller judges a certificate whose chain TLS has already verified: exactly one organisation, which is a
 * role, and a validity that still holds. TLS looked at the dates once; a connection can live longer than that.
 */
export function identifyCaller(certificate: CallerCertificate | undefined, nowMs: number): CallerVerdict {
  const subject = certificate?.subject;
  const commonName = typeof subject?.CN === 'string' ? subject.CN : '';
  if (!certificate || !subject) return { ok: false, commonName, reason: 'no client certificate' };
  if (commonName === '')
    return { ok: false, commonName, reason: 'the certificate needs exactly one common name' };
  const organisation: unknown = subject.O;
  const role = roles.find((name) => name === organisation);
  if (!role) return { ok: false, commonName, reason: `its organisation is not one of ${roles.join(', ')}` };
  const valid = Date.parse(certificate.valid_from) <= nowMs && nowMs <= Date.parse(certificate.valid_to);
  if (!valid) return { ok: false, commonName, reason: 'the certificate is outside its validity' };
  return { ok: true, caller: { commonName, role } };
}
