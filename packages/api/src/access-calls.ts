import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  AccessService,
  type GetAccessResponse,
  type PutRevocationsResponse,
  type SignedRevocationsSchema,
} from './gen/plinth/node/v1/access_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** What is signed before the list itself, so that the signature is good for nothing else. */
const SIGNED_FOR = Buffer.from('plinth-revocations-v1\0');
/** A list above this does not fit into one request. */
export const REVOCATIONS_LIMIT = 500;

/** Who may call a node. */
export interface AccessCalls {
  get(): Promise<GetAccessResponse>;
  putRevocations(
    revocations: MessageInitShape<typeof SignedRevocationsSchema>,
  ): Promise<PutRevocationsResponse>;
}

/** accessCalls are the calls of AccessService over a transport. */
export function accessCalls(transport: Transport, answer: Answer): AccessCalls {
  const client = createClient(AccessService, transport);
  return {
    get: () => answer('GetAccess', client.getAccess({})),
    putRevocations: (revocations) => answer('PutRevocations', client.putRevocations({ revocations })),
  };
}

/** revocationsToSign gives the bytes that an authority signs for a serialized list of revocations. */
export function revocationsToSign(list: Uint8Array): Uint8Array {
  return Buffer.concat([SIGNED_FOR, list]);
}
