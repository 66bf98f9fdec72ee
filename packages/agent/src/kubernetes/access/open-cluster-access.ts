import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { stringify } from 'yaml';
import type { Sys } from '../../sys/sys.ts';
import { listApiServers } from './api-servers.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { KUBERNETES_FILES } from './credentials.ts';
import { issueClientCertificate } from './issue-certificate.ts';
import { createJoinToken, JOIN_TOKEN_LIMIT_MS } from './join-tokens.ts';
import type { KubeClient } from './kube-client.ts';
import { forgetNode, listNodeRecords, requireFree } from './node-records.ts';
import { readKeyFile, uploadCertificates } from './upload-certificates.ts';

/**
 * How long a kubeconfig is good for. No certificate of Kubernetes can be called back, so it ends soon; a new one is one
 * call away for whoever may have one.
 */
const KUBECONFIG_LIFE_MS = 7 * 24 * 60 * 60_000;
/** Clocks of a client and of the nodes may differ by that. */
const CLOCK_SKEW_MS = 5 * 60_000;
/** kubeadm binds it to cluster-admin; unlike system:masters it can be unbound. */
const ADMINISTRATORS = 'kubeadm:cluster-admins';

export interface ClusterAccessParts {
  readonly client: KubeClient;
  readonly sys: Pick<Sys, 'readFile' | 'nowMs'>;
  /** kubeadm's folder of certificates. */
  readonly pki?: string;
}

/** openClusterAccess is ClusterAccess on a control plane, with the files kubeadm made and the administrator's client. */
export function openClusterAccess({
  client,
  sys,
  pki = KUBERNETES_FILES.pki,
}: ClusterAccessParts): ClusterAccess {
  // Two control planes invited at the same time read one Secret: as long as a key is in use it stays the key.
  let uploaded: { key: Buffer; untilMs: number } | undefined;
  const authority = async () => (await readKeyFile(sys, `${pki}/ca.crt`)).toString('latin1');
  return {
    async createToken(node, ttlMs) {
      requireFree(node, await listNodeRecords(client));
      return createJoinToken(client, node, { ttlMs, nowMs: sys.nowMs() });
    },
    async uploadCertificates() {
      const nowMs = sys.nowMs();
      const key = uploaded && uploaded.untilMs > nowMs ? uploaded.key : randomBytes(32);
      const untilMs = nowMs + JOIN_TOKEN_LIMIT_MS;
      await uploadCertificates(client, sys, { key, pki, expiresAtMs: untilMs });
      uploaded = { key, untilMs };
      return key.toString('hex');
    },
    async caKeyHash() {
      const { publicKey } = new X509Certificate(await authority());
      const spki = publicKey.export({ type: 'spki', format: 'der' });
      return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
    },
    apiServers: () => listApiServers(client),
    forgetNode: (nodeName) => forgetNode(client, nodeName),
    async issueKubeconfig(server) {
      const nowMs = sys.nowMs();
      const authorityPem = await authority();
      const keyPem = (await readKeyFile(sys, `${pki}/ca.key`)).toString('latin1');
      // Signed here and not by a request to the cluster: an administrator needs it most when the cluster is ill.
      const issued = await issueClientCertificate(authorityPem, keyPem, {
        // Each its own name: audit of the API server tells one from the other.
        commonName: `plinth:admin:${randomBytes(4).toString('hex')}`,
        organisation: ADMINISTRATORS,
        notBeforeMs: nowMs - CLOCK_SKEW_MS,
        notAfterMs: nowMs + KUBECONFIG_LIFE_MS,
      }).catch((reason: unknown) => {
        const state = reason instanceof Error ? reason.message : 'failed';
        throw new PlinthError(
          'kubernetes/credentials-unusable',
          `Cannot use ${pki}/ca.key: ${state}, expected the key of the cluster's authority`,
        );
      });
      return {
        kubeconfig: renderKubeconfig(server, authorityPem, issued),
        expiresAtMs: issued.notAfterMs,
      };
    },
  };
}

function renderKubeconfig(
  server: string,
  authorityPem: string,
  { certificatePem, keyPem }: { readonly certificatePem: string; readonly keyPem: string },
): string {
  const encode = (pem: string) => Buffer.from(pem).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'plinth', cluster: { server, 'certificate-authority-data': encode(authorityPem) } }],
    users: [
      {
        name: 'plinth-admin',
        user: { 'client-certificate-data': encode(certificatePem), 'client-key-data': encode(keyPem) },
      },
    ],
    contexts: [{ name: 'plinth', context: { cluster: 'plinth', user: 'plinth-admin' } }],
    'current-context': 'plinth',
  });
}
