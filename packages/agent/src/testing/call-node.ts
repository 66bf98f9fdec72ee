import { text } from 'node:stream/consumers';
import { create, toJson } from '@bufbuild/protobuf';
import { connectNode, GetHealthResponseSchema, GetIntegrityResponseSchema, nodeApiPort } from '@plinth/api';
import { z } from 'zod';

/**
 * A program for startIsolated: calls the node on this network's loopback and prints the answer as JSON. What to call
 * comes on the standard input.
 */
const order = z
  .object({
    method: z.enum(['getHealth', 'getIntegrity']),
    fingerprint: z.string(),
    certificatePem: z.string(),
    keyPem: z.string(),
  })
  .parse(JSON.parse(await text(process.stdin)));

using node = connectNode({
  address: '127.0.0.1',
  port: nodeApiPort,
  fingerprint: order.fingerprint,
  clientCertificatePem: order.certificatePem,
  clientKeyPem: order.keyPem,
  timeoutMs: 60_000,
});
const answer =
  order.method === 'getHealth'
    ? toJson(GetHealthResponseSchema, create(GetHealthResponseSchema, await node.getHealth()))
    : toJson(GetIntegrityResponseSchema, create(GetIntegrityResponseSchema, await node.getIntegrity()));
process.stdout.write(JSON.stringify(answer));
