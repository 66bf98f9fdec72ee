import { createClient, type Transport } from '@connectrpc/connect';
import {
  type GetVarKeysResponse,
  type ResealResponse,
  VarKeyService,
} from './gen/plinth/node/v1/var_key_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** What opens the encrypted /var of a node. A refusal is a PlinthError with the code, message and hint of the node. */
export interface VarKeyCalls {
  get(): Promise<GetVarKeysResponse>;
  /** The node gives its recovery key once and forgets it. */
  takeRecoveryKey(): Promise<string>;
  /** The next start makes another recovery key. */
  renewRecoveryKey(): Promise<void>;
  /** Seals /var to the TPM of the machine. @param timeoutMs some TPMs take half a minute */
  reseal(recoveryKey: string, timeoutMs: number): Promise<ResealResponse>;
}

/** varKeyCalls are the calls of VarKeyService over a transport. */
export function varKeyCalls(transport: Transport, answer: Answer): VarKeyCalls {
  const client = createClient(VarKeyService, transport);
  return {
    get: () => answer('GetVarKeys', client.getVarKeys({})),
    takeRecoveryKey: async () => {
      const { recoveryKey } = await answer('TakeRecoveryKey', client.takeRecoveryKey({}));
      return recoveryKey;
    },
    renewRecoveryKey: async () => {
      await answer('RenewRecoveryKey', client.renewRecoveryKey({}));
    },
    reseal: (recoveryKey, timeoutMs) => answer('Reseal', client.reseal({ recoveryKey }, { timeoutMs })),
  };
}
