import { text } from 'node:stream/consumers';
import { create, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import {
  ApplyConfigRequestSchema,
  ApplyConfigResponseSchema,
  connectNode,
  GetAuditHeadResponseSchema,
  GetConfigStatusResponseSchema,
  GetHealthResponseSchema,
  GetIntegrityResponseSchema,
  ListConfigHistoryResponseSchema,
  type NodeClient,
  nodeApiPort,
  openAuditVerifier,
} from '@plinth/api';
import { z } from 'zod';

/**
 * A program for startIsolated: calls the node on this network's loopback and prints the answer as JSON. What to call
 * comes on the standard input.
 */
const calls = {
  getHealth: async (node: NodeClient) =>
    toJson(GetHealthResponseSchema, create(GetHealthResponseSchema, await node.getHealth())),
  getIntegrity: async (node: NodeClient) =>
    toJson(GetIntegrityResponseSchema, create(GetIntegrityResponseSchema, await node.getIntegrity())),
  getConfigStatus: async (node: NodeClient) =>
    toJson(GetConfigStatusResponseSchema, await node.config.status()),
  listConfigHistory: async (node: NodeClient) =>
    toJson(ListConfigHistoryResponseSchema, await node.config.history()),
  applyConfig: async (node: NodeClient, request: JsonValue) =>
    toJson(ApplyConfigResponseSchema, await node.config.apply(fromJson(ApplyConfigRequestSchema, request))),
  confirmConfig: async (node: NodeClient, request: JsonValue) => {
    await node.config.confirm(Number(request));
    return {};
  },
  getAuditHead: async (node: NodeClient) => toJson(GetAuditHeadResponseSchema, await node.audit.head()),
  verifyAudit: async (node: NodeClient) => {
    const verifier = openAuditVerifier(undefined);
    for await (const lines of node.audit.read()) for (const line of lines) verifier.add(line);
    return verifier.finish();
  },
} as const;

const order = z
  .object({
    method: z.enum([
      'getHealth',
      'getIntegrity',
      'getConfigStatus',
      'listConfigHistory',
      'applyConfig',
      'confirmConfig',
      'getAuditHead',
      'verifyAudit',
    ]),
    fingerprint: z.string(),
    certificatePem: z.string(),
    keyPem: z.string(),
    request: z.json().default(null),
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
process.stdout.write(JSON.stringify(await calls[order.method](node, order.request)));
