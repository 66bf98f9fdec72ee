import { createHash, type KeyObject } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type ExchangeTokenRequestSchema,
  type ExchangeTokenResponse,
  type GetLoginResponse,
  LoginService,
} from './gen/plinth/node/v1/login_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** What a node whose config names an issuer answers to callers without a certificate; see login.proto. */
export interface LoginCalls {
  get(): Promise<GetLoginResponse>;
  exchange(request: MessageInitShape<typeof ExchangeTokenRequestSchema>): Promise<ExchangeTokenResponse>;
}

/** loginCalls are the calls of LoginService over a transport. */
export function loginCalls(transport: Transport, answer: Answer): LoginCalls {
  const client = createClient(LoginService, transport);
  return {
    get: () => answer('GetLogin', client.getLogin({})),
    exchange: (request) => answer('ExchangeToken', client.exchangeToken(request)),
  };
}

/** keyBindingOf is the nonce that binds an ID token to a key: whoever steals the token has no use of it. */
export function keyBindingOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
