import { type Finding, passIf, unknown } from '../checks/check.ts';
import { readCertificate } from '../kernel/certificate-file.ts';
import type { Sys } from '../sys/sys.ts';
import type { HealthRule, MemberView } from './rule.ts';

export const PKI = '/etc/kubernetes/pki';
export const KUBELET_PKI = '/var/lib/kubelet/pki';
const DAY_MS = 24 * 60 * 60_000;
/** Everything is renewed long before; what has so little left was not. */
const LEAF_DAYS_MINIMUM = 14;
/** Its certificates last 90 days, and the kubelet renews each when 10 to 30 % of that are left. */
const KUBELET_DAYS_MINIMUM = 7;
/** An authority cannot be renewed in place: there must be time to plan. */
const AUTHORITY_DAYS_MINIMUM = 180;

/** Certificates that kubeadm makes on a control plane, and kubeconfigs with one inside. */
export const CONTROL_PLANE_FILES = [
  ...['apiserver', 'apiserver-kubelet-client', 'apiserver-etcd-client', 'front-proxy-client'].map(
    (name) => `${PKI}/${name}.crt`,
  ),
  ...['server', 'peer', 'healthcheck-client'].map((name) => `${PKI}/etcd/${name}.crt`),
  ...['admin', 'controller-manager', 'scheduler'].map((name) => `/etc/kubernetes/${name}.conf`),
];
export const AUTHORITIES = ['ca', 'front-proxy-ca', 'etcd/ca'].map((name) => `${PKI}/${name}.crt`);

export const memberCertificateRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'certificate-kubelet-client',
    expected: `at least ${KUBELET_DAYS_MINIMUM} days left`,
    source: `${KUBELET_PKI}/kubelet-client-current.pem`,
    cause:
      'The kubelet could not renew what it proves itself with: no control plane was reachable, or none approved it.',
    fix: 'Look at the certificate requests of this node in the cluster; when it has ended, let the node leave and join again.',
    critical: true,
    observe: ({ sys }) =>
      judgeFiles(sys, [`${KUBELET_PKI}/kubelet-client-current.pem`], KUBELET_DAYS_MINIMUM),
  },
  {
    id: 'certificate-kubelet-serving',
    expected: `at least ${KUBELET_DAYS_MINIMUM} days left`,
    source: `${KUBELET_PKI}/kubelet-server-current.pem`,
    cause: 'No control plane has approved the request for it: without it logs and exec of pods do not work.',
    fix: 'Look at the certificate requests of this node in the cluster.',
    observe: ({ sys }) =>
      judgeFiles(sys, [`${KUBELET_PKI}/kubelet-server-current.pem`], KUBELET_DAYS_MINIMUM),
  },
  {
    id: 'certificate-authority',
    expected: `at least ${AUTHORITY_DAYS_MINIMUM} days left`,
    source: `${PKI}/ca.crt`,
    cause: 'The authority of the cluster was made to last and nears its end.',
    fix: 'Plan the change of the authority: every certificate of the cluster comes from it.',
    observe: ({ sys }) => judgeFiles(sys, [`${PKI}/ca.crt`], AUTHORITY_DAYS_MINIMUM),
  },
];

export const controlPlaneCertificateRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'certificates-control-plane',
    expected: `each at least ${LEAF_DAYS_MINIMUM} days left`,
    source: CONTROL_PLANE_FILES.join(', '),
    cause: 'The renewal of certificates did not run or failed.',
    fix: 'Read the journal of plinthd for the renewal; it is tried again every day.',
    critical: true,
    observe: ({ sys }) => judgeFiles(sys, CONTROL_PLANE_FILES, LEAF_DAYS_MINIMUM),
  },
  {
    id: 'certificate-authorities',
    expected: `each at least ${AUTHORITY_DAYS_MINIMUM} days left`,
    source: AUTHORITIES.join(', '),
    cause: 'An authority of the cluster was made to last and nears its end.',
    fix: 'Plan the change of the authority: every certificate of the cluster comes from it.',
    observe: ({ sys }) => judgeFiles(sys, AUTHORITIES, AUTHORITY_DAYS_MINIMUM),
  },
];

/** When a certificate is good for. */
export interface Validity {
  readonly path: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A file without a certificate that can be read, and why. */
export interface NoCertificate {
  readonly path: string;
  readonly problem: 'absent' | 'unreadable';
}

/** judgeValidity: the first to end decides; a missing file is a fault, an unreadable one is not known. */
export function judgeValidity(
  found: readonly (Validity | NoCertificate)[],
  nowMs: number,
  daysMinimum: number,
): Finding {
  const states = found.map((one): [Finding['verdict'], string] => {
    const name = one.path.split('/').slice(-2).join('/');
    if ('problem' in one) return [one.problem === 'absent' ? 'fail' : 'unknown', `${name} is ${one.problem}`];
    const days = Math.floor((one.notAfterMs - nowMs) / DAY_MS);
    if (nowMs < one.notBeforeMs) return ['fail', `${name} is not valid yet: the clock is wrong`];
    if (nowMs >= one.notAfterMs) return ['fail', `${name} has ended`];
    return [days >= daysMinimum ? 'pass' : 'fail', `${name} ends in ${days} days`];
  });
  const bad = states.filter(([verdict]) => verdict !== 'pass').map(([, text]) => text);
  if (states.some(([verdict]) => verdict === 'fail')) return passIf(false, bad.join(', '));
  if (bad.length > 0 || states.length === 0) return unknown(bad.join(', ') || 'no certificate was looked at');
  const first = Math.min(
    ...found.map((one) => ('notAfterMs' in one ? one.notAfterMs : Number.POSITIVE_INFINITY)),
  );
  return passIf(true, `${found.length} seen, the first ends ${new Date(first).toISOString().slice(0, 10)}`);
}

async function judgeFiles(sys: Sys, paths: readonly string[], daysMinimum: number): Promise<Finding> {
  const found = await Promise.all(paths.map((path) => readValidity(sys, path)));
  return judgeValidity(found, sys.nowMs(), daysMinimum);
}

/** readValidity reads when the first certificate of a PEM file or of a kubeconfig is good for. */
export async function readValidity(
  sys: Pick<Sys, 'readFile'>,
  path: string,
): Promise<Validity | NoCertificate> {
  const found = await readCertificate(sys, path);
  if (typeof found === 'string') return { path, problem: found };
  return { path, notBeforeMs: found.validFromDate.getTime(), notAfterMs: found.validToDate.getTime() };
}
