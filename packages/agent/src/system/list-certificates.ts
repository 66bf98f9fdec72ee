import { X509Certificate } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';

import { type CertificateSchema, fingerprintOf, type ListCertificatesResponseSchema } from '@plinth/api';
import { AUTHORITIES, CONTROL_PLANE_FILES, KUBELET_PKI, PKI } from '../health/certificates.ts';
import { readCertificate } from '../kernel/certificate-file.ts';
import type { Sys } from '../sys/sys.ts';
import { openObservation } from './observing.ts';
import { stampFromMs } from './times.ts';

/** Certificates that plinthd has in memory, each with what it is for. */
export interface HeldCertificate {
  readonly purpose: string;
  readonly pem: string;
}

/** apiCertificates names those of the node's API: its own, and those of the authorities of its clients. */
export function apiCertificates(
  ownPem: string,
  authoritiesPem: readonly string[],
): readonly HeldCertificate[] {
  const authorities = authoritiesPem.map((pem) => ({ purpose: 'authority of API clients', pem }));
  return [{ purpose: 'node API', pem: ownPem }, ...authorities];
}

type CertificateShape = MessageInitShape<typeof CertificateSchema>;

const NODE_FILES: readonly (readonly [path: string, purpose: string])[] = [
  [`${KUBELET_PKI}/kubelet-client-current.pem`, 'kubelet client'],
  [`${KUBELET_PKI}/kubelet-server-current.pem`, 'kubelet server'],
  ...AUTHORITIES.map((path): [string, string] => [path, purposeOf(path)]),
  ...CONTROL_PLANE_FILES.map((path): [string, string] => [path, purposeOf(path)]),
];

/** purposeOf makes words of a place: "etcd peer", "kube-apiserver", "front-proxy authority". */
export function purposeOf(path: string): string {
  const name = path
    .replace(`${PKI}/`, '')
    .replace('/etc/kubernetes/', '')
    .replace(/\.(?:crt|conf)$/, '');
  if (name === 'ca') return 'Kubernetes authority';
  if (name === 'apiserver') return 'kube-apiserver';
  return name
    .replace(/(?:^|[-/])ca$/, ' authority')
    .replace('/', ' ')
    .trim();
}

/** listCertificates reads the certificates of the node: those of its API, and of Kubernetes where it is a member. */
export async function listCertificates(
  sys: Pick<Sys, 'readFile'>,
  held: readonly HeldCertificate[],
): Promise<MessageInitShape<typeof ListCertificatesResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const found: CertificateShape[] = [];
  for (const { purpose, pem } of held) {
    await attempt(purpose, async () => {
      found.push(certificateShape(new X509Certificate(pem), purpose, ''));
    });
  }
  for (const [path, purpose] of NODE_FILES) {
    const certificate = await attempt(path, () => readCertificate(sys, path));
    if (certificate === 'unreadable') notObserved.push(`${path}: it holds no certificate that can be read`);
    else if (certificate !== undefined && certificate !== 'absent')
      found.push(certificateShape(certificate, purpose, path));
  }
  return { certificates: found.sort(firstToEnd), notObserved };
}

function firstToEnd(a: CertificateShape, b: CertificateShape): number {
  return Number((a.notAfter?.seconds ?? 0n) - (b.notAfter?.seconds ?? 0n));
}

function certificateShape(certificate: X509Certificate, purpose: string, path: string): CertificateShape {
  return {
    ...{ purpose, path, authority: certificate.ca, serialNumber: certificate.serialNumber.toLowerCase() },
    ...{ subject: oneLine(certificate.subject), issuer: oneLine(certificate.issuer) },
    notBefore: stampFromMs(certificate.validFromDate.getTime()),
    notAfter: stampFromMs(certificate.validToDate.getTime()),
    alternativeNames: (certificate.subjectAltName ?? '').split(', ').filter((name) => name !== ''),
    fingerprint: fingerprintOf(certificate.raw),
  };
}

/** Node writes a name with one line for each part. */
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}
