import { type ClusterVerification, parseVerification, VERIFICATION_SECRET } from '@plinth/attest';
import { z } from 'zod';
import type { KubeClient } from '../access/kube-client.ts';

const secretSchema = z.object({ data: z.record(z.string(), z.base64()) });

/**
 * readVerification reads by what the cluster wants its nodes judged; undefined when it asks for no proof.
 * Errors: attest/verification-invalid, attest/reference-invalid; see KubeClient.
 */
export async function readVerification(client: KubeClient): Promise<ClusterVerification | undefined> {
  const path = `/api/v1/namespaces/kube-system/secrets/${VERIFICATION_SECRET}`;
  const secret = await client.find(path, secretSchema);
  if (!secret) return undefined;
  const texts = Object.entries(secret.data).map(
    ([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')] as const,
  );
  return parseVerification(Object.fromEntries(texts));
}
