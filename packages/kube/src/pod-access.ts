import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { ClusterAccess } from './access.ts';

/** Where Kubernetes mounts the service account of a pod. */
const ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** isInPod tells whether this process has the service account of a pod. */
function isInPod(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '' && (env['KUBERNETES_SERVICE_PORT'] ?? '') !== '';
}

/**
 * readPodAccess gives the access of the pod this process runs in: its service account, whose token is read again as it is
 * replaced.
 * @throws kube/bad-kubeconfig when this is no pod, or one without a token
 */
export async function readPodAccess(
  env: Readonly<Record<string, string | undefined>>,
  dir: string = ACCOUNT_DIR,
): Promise<ClusterAccess> {
  if (!isInPod(env)) throw noAccount('$KUBERNETES_SERVICE_HOST is not set, expected to run in a pod');
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const address = host.includes(':') ? `[${host}]` : host;
  const tokenFile = join(dir, 'token');
  const read = (path: string) =>
    readFile(path, 'utf8').catch((reason: unknown) => {
      throw noAccount(`${path} cannot be read`, reason);
    });
  return {
    server: new URL(`https://${address}:${env['KUBERNETES_SERVICE_PORT']}`),
    serverName: undefined,
    authorityPem: await read(join(dir, 'ca.crt')),
    isUnchecked: false,
    certificatePem: undefined,
    keyPem: undefined,
    token: (await read(tokenFile)).trim(),
    tokenFile,
  };
}

function noAccount(state: string, cause?: unknown): PlinthError {
  return new PlinthError('kube/bad-kubeconfig', `Cannot use the service account of this pod: ${state}`, {
    cause,
    hint: 'Give the pod a service account with a mounted token, or name a kubeconfig.',
  });
}
