import { connectNode, type NodeClient } from '@plinth/api';
import type { ApiEndpoint } from '@plinth/local';
import { issueClientCertificate, type Signer } from '@plinth/trust';

/** Calls may wait for a node that is still starting, on a computer that is busy. */
const CALL_TIMEOUT_MS = 60_000;
const DAY_SECONDS = 24 * 3600;

/** The one whom nodes obey: an authority that their configuration names, and an administrator it vouches for. */
export interface Owner {
  /** @param more further parts of the config */
  machineConfig(nodeName: string, more?: Readonly<Record<string, unknown>>): string;
  connect(endpoint: ApiEndpoint): NodeClient;
}

/** makeOwner makes an administrator that the authority vouches for. */
export async function makeOwner(authority: Signer): Promise<Owner> {
  const admin = await issueClientCertificate(authority, {
    role: 'plinth:admin',
    name: 'boot-tests',
    ttlSeconds: DAY_SECONDS,
  });
  const credentials = {
    clientCertificatePem: admin.certificatePem,
    clientKeyPem: admin.privateKeyPem,
    timeoutMs: CALL_TIMEOUT_MS,
  };
  return {
    // JSON is YAML, and it quotes the line breaks of a certificate.
    machineConfig: (name, more) =>
      JSON.stringify({
        apiVersion: 'plinth.dev/v1alpha1',
        kind: 'MachineConfig',
        metadata: { name },
        api: { clientAuthorities: [authority.certificatePem] },
        ...more,
      }),
    connect: (endpoint) => connectNode({ ...endpoint, ...credentials }),
  };
}
