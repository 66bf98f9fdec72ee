import { X509Certificate } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { errorCode, isMissing, type Sys } from '../../sys/sys.ts';
import type { KnownCertificate } from './plan-renewal.ts';

/** What "kubeadm certs renew all" renews on a control plane, below /etc/kubernetes. */
const FILES = [
  'pki/apiserver.crt',
  'pki/apiserver-kubelet-client.crt',
  'pki/apiserver-etcd-client.crt',
  'pki/front-proxy-client.crt',
  'pki/etcd/server.crt',
  'pki/etcd/peer.crt',
  'pki/etcd/healthcheck-client.crt',
  'admin.conf',
  'super-admin.conf',
  'controller-manager.conf',
  'scheduler.conf',
];

/**
 * readCertificates gives the certificates of a control plane with their dates; kubeconfigs hold theirs inside. Files
 * that are not there are left out: not every control plane has super-admin.conf.
 * @param folder /etc/kubernetes, or a test's
 * @throws kubernetes/credentials-unusable
 */
export async function readCertificates(
  sys: Pick<Sys, 'readFile'>,
  folder = '/etc/kubernetes',
): Promise<readonly KnownCertificate[]> {
  const found: KnownCertificate[] = [];
  for (const name of FILES) {
    const path = `${folder}/${name}`;
    try {
      const text = (await sys.readFile(path)).toString('latin1');
      found.push({ path, ...datesOf(name.endsWith('.conf') ? embedded(text) : text) });
    } catch (reason) {
      if (isMissing(reason)) continue;
      // What X509Certificate says of a file could quote it.
      throw new PlinthError(
        'kubernetes/credentials-unusable',
        `Cannot read ${path}: ${errorCode(reason) || 'it holds no certificate'}, expected a file of kubeadm`,
      );
    }
  }
  return found;
}

function datesOf(pem: string): { notBeforeMs: number; notAfterMs: number } {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}

function embedded(kubeconfig: string): string {
  const data = /^\s*client-certificate-data: ([A-Za-z0-9+/=]+)\s*$/m.exec(kubeconfig)?.[1] ?? '';
  return Buffer.from(data, 'base64').toString('latin1');
}
