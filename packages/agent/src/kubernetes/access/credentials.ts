import { PlinthError } from '@plinth/base';
import { parse } from 'yaml';
import { z } from 'zod';
import type { HttpsEndpoint } from '../../https/call-https.ts';
import { errorCode, type Sys } from '../../sys/sys.ts';

/** Where kubeadm and the kubelet keep what plinthd reads. */
export const KUBERNETES_FILES = {
  adminConfig: '/etc/kubernetes/admin.conf',
  kubeletCertificate: '/var/lib/kubelet/pki/kubelet-client-current.pem',
  pki: '/etc/kubernetes/pki',
} as const;

const base64 = z.base64().max(64 * 1024);
const kubeconfigSchema = z.object({
  clusters: z.array(z.object({ cluster: z.object({ 'certificate-authority-data': base64 }) })).length(1),
  users: z
    .array(z.object({ user: z.object({ 'client-certificate-data': base64, 'client-key-data': base64 }) }))
    .length(1),
});

/** What an API server is asked with; the server itself is the caller's choice. */
export type ClusterCredentials = Omit<HttpsEndpoint, 'host' | 'port'>;

/**
 * readAdminCredentials reads the kubeconfig that kubeadm wrote for the administrator of a control plane.
 * @throws kubernetes/credentials-unusable
 */
export async function readAdminCredentials(
  sys: Pick<Sys, 'readFile'>,
  path: string = KUBERNETES_FILES.adminConfig,
): Promise<ClusterCredentials> {
  const text = await read(sys, path);
  const parsed = kubeconfigSchema.safeParse(parseYaml(text));
  const cluster = parsed.data?.clusters[0]?.cluster;
  const user = parsed.data?.users[0]?.user;
  // What was found is not said: the file holds a key.
  if (!cluster || !user) throw unusable(path, 'it is not a kubeconfig with one embedded certificate');
  const decode = (data: string) => Buffer.from(data, 'base64').toString('latin1');
  return {
    caPem: decode(cluster['certificate-authority-data']),
    certificatePem: decode(user['client-certificate-data']),
    keyPem: decode(user['client-key-data']),
  };
}

/**
 * readNodeCredentials reads what the kubelet of this node proves itself with; the kubelet renews the file.
 * @throws kubernetes/credentials-unusable
 */
export async function readNodeCredentials(
  sys: Pick<Sys, 'readFile'>,
  path: string = KUBERNETES_FILES.kubeletCertificate,
  pki: string = KUBERNETES_FILES.pki,
): Promise<ClusterCredentials> {
  const pem = await read(sys, path);
  if (!pem.includes('-----BEGIN CERTIFICATE-----') || !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw unusable(path, 'it holds no certificate with its key');
  return { caPem: await read(sys, `${pki}/ca.crt`), certificatePem: pem, keyPem: pem };
}

/** Certificates are renewed under a running plinthd; until then a file need not be read for each request. */
const CREDENTIALS_MS = 30_000;

/** controlPlaneEndpoint is the API server of this node, asked as its administrator. For openKubeClient. */
export function controlPlaneEndpoint(sys: Pick<Sys, 'readFile' | 'nowMs'>): () => Promise<HttpsEndpoint> {
  return remember(sys, async () => ({ ...(await readAdminCredentials(sys)), host: '127.0.0.1', port: 6443 }));
}

/** memberEndpoint is an API server by way of this node's balancer, asked as the node. For openKubeClient. */
export function memberEndpoint(
  sys: Pick<Sys, 'readFile' | 'nowMs'>,
  balancerPort: number,
): () => Promise<HttpsEndpoint> {
  return remember(sys, async () => ({
    ...(await readNodeCredentials(sys)),
    host: '127.0.0.1',
    port: balancerPort,
  }));
}

function remember(
  sys: Pick<Sys, 'nowMs'>,
  readEndpoint: () => Promise<HttpsEndpoint>,
): () => Promise<HttpsEndpoint> {
  let kept: { endpoint: HttpsEndpoint; untilMs: number } | undefined;
  return async () => {
    const nowMs = sys.nowMs();
    // A clock that was set back must not keep it for longer.
    if (!kept || nowMs >= kept.untilMs || nowMs < kept.untilMs - CREDENTIALS_MS)
      kept = { endpoint: await readEndpoint(), untilMs: nowMs + CREDENTIALS_MS };
    return kept.endpoint;
  };
}

async function read(sys: Pick<Sys, 'readFile'>, path: string): Promise<string> {
  try {
    return (await sys.readFile(path)).toString('latin1');
  } catch (reason) {
    throw unusable(path, errorCode(reason) || 'it cannot be read');
  }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch {
    return undefined;
  }
}

function unusable(path: string, state: string): PlinthError {
  return new PlinthError(
    'kubernetes/credentials-unusable',
    `Cannot use ${path}: ${state}, expected the file of a member of a cluster`,
  );
}
