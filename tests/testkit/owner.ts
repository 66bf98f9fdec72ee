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

const API_VERSION = 'plinth.dev/v1alpha1';

/** joinConfig joins documents to one config: texts as they are, objects with the version of our documents. */
export function joinConfig(...documents: readonly (string | object)[]): string {
  // JSON is YAML, and it quotes the line breaks of a certificate.
  return documents
    .map((each) => (typeof each === 'string' ? each : JSON.stringify({ apiVersion: API_VERSION, ...each })))
    .join('\n---\n');
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
    machineConfig: (name, more) =>
      joinConfig({
        kind: 'MachineConfig',
        metadata: { name },
        api: { clientAuthorities: [authority.certificatePem] },
        ...more,
      }),
    connect: (endpoint) => connectNode({ ...endpoint, ...credentials }),
  };
}
