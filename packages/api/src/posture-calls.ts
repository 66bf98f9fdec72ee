import { createClient, type Transport } from '@connectrpc/connect';
import { type GetSecurityFactsResponse, PostureService } from './gen/plinth/node/v1/posture_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { nodeCallLimitMs } from './limits.ts';

/** What a node's kernel and files say about its hardening. Each call throws a PlinthError with a code of area `api`. */
export interface PostureCalls {
  /** @param names at most SECURITY_FACTS_MAXIMUM, "KIND/NAME" as posture.proto lists them; the facts come in their order */
  facts(names: readonly string[]): Promise<GetSecurityFactsResponse>;
}

/** So many facts are read with one call. */
export const SECURITY_FACTS_MAXIMUM = 1_000;

/** postureCalls are the calls of PostureService over a transport. @param timeoutMs bound on each */
export function postureCalls(transport: Transport, answer: Answer, timeoutMs: number): PostureCalls {
  const client = createClient(PostureService, transport);
  // A node refuses a call that asks for more time than it gives.
  const brief = { timeoutMs: Math.min(timeoutMs, nodeCallLimitMs) };
  return {
    facts: (names) => answer('GetSecurityFacts', client.getSecurityFacts({ names: [...names] }, brief)),
  };
}
