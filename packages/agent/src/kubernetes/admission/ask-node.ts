import { connectNode, nodeApiPort } from '@plinth/api';
import {
  type ClusterVerification,
  challenge,
  type Enrolment,
  type Judgement,
  judgeEvidence,
  knownNode,
} from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import type { InvitedNode } from '../access/cluster-access.ts';

/** An answer later than 30 s is stale in any case. */
const TIMEOUT_MS = 30_000;

/** For tests. */
export interface AskOptions {
  readonly port?: number;
  readonly timeoutMs?: number;
  /** Monotonic; default: the process's own. */
  readonly nowMs?: () => number;
}

/**
 * askNode asks a node for evidence and judges it: over a TLS session of its own with the key of the invited identity, with
 * a fresh nonce that the quote binds to that session. @throws attest/not-asked, which says nothing of what it booted
 */
export async function askNode(
  node: InvitedNode,
  { references, certificatePem, keyPem }: ClusterVerification,
  enrolment: Enrolment,
  { port = nodeApiPort, timeoutMs = TIMEOUT_MS, nowMs }: AskOptions = {},
): Promise<Judgement> {
  using client = connectNode({
    ...{ address: node.nodeAddress, port, nodeId: node.nodeId, timeoutMs },
    ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
  });
  try {
    const asked = await challenge((nonce) => client.attestation.attest(nonce), nowMs);
    return judgeEvidence({ ...asked, known: knownNode(enrolment), references });
  } catch (reason) {
    const { message } = PlinthError.from(reason, 'attest/not-asked', 'no answer');
    throw new PlinthError(
      'attest/not-asked',
      `Cannot ask node ${node.nodeName} at ${node.nodeAddress} what it booted: ${message}`,
      { cause: reason, retryable: true },
    );
  }
}
