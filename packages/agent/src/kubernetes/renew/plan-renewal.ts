/** A certificate of kubeadm's that is renewed by it. */
export interface KnownCertificate {
  readonly path: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface RenewalPlan {
  /** Certificates with little life left or none; kubeadm renews all at once when there is one. */
  readonly due: readonly string[];
  /** When the first of them all becomes due; undefined without certificates. In the past when some are due. */
  readonly dueAtMs: number | undefined;
}

/** The part of a certificate's life that must be left. Of a year that is 16 weeks, in which somebody notices a failure. */
const LIFE_LEFT = 0.3;

/** planRenewal tells which certificates are to be renewed. One whose dates make no sense is. */
export function planRenewal(certificates: readonly KnownCertificate[], nowMs: number): RenewalPlan {
  const times = certificates.map((certificate) => ({ path: certificate.path, atMs: dueAt(certificate) }));
  return {
    due: times.filter(({ atMs }) => !(nowMs < atMs)).map(({ path }) => path),
    dueAtMs: times.length === 0 ? undefined : Math.min(...times.map(({ atMs }) => atMs)),
  };
}

function dueAt({ notBeforeMs, notAfterMs }: KnownCertificate): number {
  const lifeMs = notAfterMs - notBeforeMs;
  return lifeMs > 0 ? notAfterMs - LIFE_LEFT * lifeMs : Number.NEGATIVE_INFINITY;
}
