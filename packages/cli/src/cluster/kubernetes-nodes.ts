import { request } from 'node:https';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { KubernetesAccess } from './kubeconfig.ts';

/** A list of a hundred nodes with their images stays far below. */
const ANSWER_LIMIT_BYTES = 16 * 1024 * 1024;
/** Taints of this prefix are Plinth's own: the node has not passed its self-test yet. */
const OWN_TAINT = 'plinth.dev/';

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ taints: z.array(z.object({ key: z.string() })).optional() }),
      status: z.object({
        conditions: z
          .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
          .optional(),
        nodeInfo: z.object({ kubeletVersion: z.string() }).optional(),
      }),
    }),
  ),
});

/** A node as the API server knows it. */
export interface KubernetesNode {
  readonly name: string;
  /** Ready, and free of the taint that a node has until it passed its self-test. */
  readonly ready: boolean;
  /** Why not, for people; empty when ready. */
  readonly reason: string;
  /** "1.37.1"; empty when the kubelet has not said it yet. */
  readonly version: string;
}

/**
 * listKubernetesNodes asks an API server for its nodes.
 * @throws cluster/unreachable (retryable) when it does not answer as it should
 */
export async function listKubernetesNodes(
  access: KubernetesAccess,
  timeoutMs: number,
): Promise<KubernetesNode[]> {
  return parseNodes(await get(new URL('/api/v1/nodes', access.server), access, timeoutMs));
}

/** parseNodes reads a NodeList; pure. @throws cluster/unreachable when it is none */
export function parseNodes(text: string): KubernetesNode[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (reason) {
    throw unreachable('its answer is not JSON', reason);
  }
  const parsed = listSchema.safeParse(value);
  if (!parsed.success) throw unreachable('its answer is no list of nodes', parsed.error);
  return parsed.data.items.map(({ metadata, spec, status }) => {
    const condition = status.conditions?.find(({ type }) => type === 'Ready');
    const taint = spec.taints?.find(({ key }) => key.startsWith(OWN_TAINT));
    const isReady = condition?.status === 'True';
    const reason = isReady ? (taint?.key ?? '') : (condition?.message ?? 'its kubelet has not reported yet');
    const version = status.nodeInfo?.kubeletVersion.replace(/^v/, '') ?? '';
    return { name: metadata.name, ready: isReady && taint === undefined, reason, version };
  });
}

function get(url: URL, access: KubernetesAccess, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (state: string, cause?: unknown) => reject(unreachable(state, cause));
    const options = {
      ...{ ca: access.authorityPem, cert: access.certificatePem, key: access.keyPem },
      ...{ agent: false, minVersion: 'TLSv1.2' as const, signal: AbortSignal.timeout(timeoutMs) },
    };
    const call = request(url, options, (answer) => {
      const pieces: Buffer[] = [];
      let sizeBytes = 0;
      answer.on('data', (piece: Buffer) => {
        sizeBytes += piece.length;
        if (sizeBytes > ANSWER_LIMIT_BYTES) {
          fail('its answer is too large');
          call.destroy();
        } else pieces.push(piece);
      });
      answer.on('error', (reason) => fail(reason.message, reason));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(pieces).toString('utf8'));
        else fail(`it answered with status ${answer.statusCode}`);
      });
    });
    call.on('error', (reason) => fail(reason.message, reason));
    call.end();
  });
}

function unreachable(state: string, cause?: unknown): PlinthError {
  return new PlinthError('cluster/unreachable', `Cannot ask the API server for its nodes: ${state}`, {
    retryable: true,
    cause,
  });
}
