import { createCipheriv, randomBytes } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { errorCode, type Sys } from '../../sys/sys.ts';
import { isRefusal, type KubeClient } from './kube-client.ts';

/** Files a new control plane needs, by their name in kubeadm's Secret. */
const FILES: Readonly<Record<string, string>> = {
  'ca.crt': 'ca.crt',
  'ca.key': 'ca.key',
  'front-proxy-ca.crt': 'front-proxy-ca.crt',
  'front-proxy-ca.key': 'front-proxy-ca.key',
  'sa.pub': 'sa.pub',
  'sa.key': 'sa.key',
  'etcd-ca.crt': 'etcd/ca.crt',
  'etcd-ca.key': 'etcd/ca.key',
};
const SECRETS = '/api/v1/namespaces/kube-system/secrets';
/** Name that "kubeadm join" reads. */
export const CERTIFICATES_SECRET = `${SECRETS}/kubeadm-certs`;
export const CERTIFICATES_EXPIRY = 'plinth.dev/expires-at';

/**
 * uploadCertificates stores the keys of the cluster's authorities in the cluster, each sealed with `key` as
 * "kubeadm join" expects it: AES-256-GCM, the nonce in front. The expiry is an annotation; the approver's loop deletes
 * the Secret after it. Errors: kubernetes/credentials-unusable, and those of KubeClient.
 * @param key 32 bytes
 * @param pki kubeadm's folder of certificates
 */
export async function uploadCertificates(
  client: KubeClient,
  sys: Pick<Sys, 'readFile'>,
  { key, pki, expiresAtMs }: { readonly key: Buffer; readonly pki: string; readonly expiresAtMs: number },
): Promise<void> {
  const data: Record<string, string> = {};
  for (const [name, path] of Object.entries(FILES)) {
    data[name] = seal(await readKeyFile(sys, `${pki}/${path}`), key).toString('base64');
  }
  const annotations = { [CERTIFICATES_EXPIRY]: new Date(expiresAtMs).toISOString() };
  try {
    await client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { name: 'kubeadm-certs', namespace: 'kube-system', annotations },
      data,
    });
  } catch (reason) {
    if (!isRefusal(reason, 409)) throw reason;
    await client.patch(CERTIFICATES_SECRET, { metadata: { annotations }, data });
  }
}

/** seal encrypts as kubeadm's crypto package does. */
export function seal(plain: Uint8Array, key: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** readKeyFile reads a file of kubeadm's folder. @throws kubernetes/credentials-unusable */
export async function readKeyFile(sys: Pick<Sys, 'readFile'>, path: string): Promise<Buffer> {
  try {
    return await sys.readFile(path);
  } catch (reason) {
    throw new PlinthError(
      'kubernetes/credentials-unusable',
      `Cannot read ${path}: ${errorCode(reason) || 'failed'}, expected a file of a control plane`,
    );
  }
}
