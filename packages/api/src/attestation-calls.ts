import { createClient, type Transport } from '@connectrpc/connect';
import {
  AttestationService,
  type AttestResponse,
  type GetAttestationKeysResponse,
} from './gen/plinth/node/v1/attestation_pb.ts';
import type { Answer } from './kubernetes-calls.ts';

/** What a quote is bound to beside its nonce: bytes that both ends of one TLS session can derive, and nobody between (RFC 5705). */
export const ATTESTATION_CHANNEL = { label: 'EXPORTER-plinth-attestation', lengthBytes: 32 } as const;

/** Derives bytes from the TLS session of the calls. */
export type ExportKeys = (lengthBytes: number, label: string, context: Uint8Array) => Promise<Uint8Array>;

/** A node's evidence, and the channel that it must be bound to. */
export interface AttestAnswer {
  readonly evidence: AttestResponse;
  /** From this end of the TLS session; a quote that came over another one has other bytes in it. */
  readonly channel: Uint8Array;
}

/** Proof by a node's TPM. A refusal is a PlinthError with the code, message and hint of the node. */
export interface AttestationCalls {
  keys(): Promise<GetAttestationKeysResponse>;
  activateCredential(credential: {
    readonly blob: Uint8Array;
    readonly encryptedSeed: Uint8Array;
  }): Promise<Uint8Array>;
  /** @param nonce 32 random bytes, never used before */
  attest(nonce: Uint8Array): Promise<AttestAnswer>;
}

/** attestationCalls are the calls of AttestationService over a transport, whose TLS session `exportKeys` derives from. */
export function attestationCalls(
  transport: Transport,
  answer: Answer,
  exportKeys: ExportKeys,
): AttestationCalls {
  const client = createClient(AttestationService, transport);
  return {
    keys: () => answer('GetAttestationKeys', client.getAttestationKeys({})),
    activateCredential: async ({ blob, encryptedSeed }) => {
      const { secret } = await answer(
        'ActivateCredential',
        client.activateCredential({ blob, encryptedSeed }),
      );
      return secret;
    },
    attest: async (nonce) => {
      const evidence = await answer('Attest', client.attest({ nonce }));
      const { lengthBytes, label } = ATTESTATION_CHANNEL;
      return { evidence, channel: await exportKeys(lengthBytes, label, nonce) };
    },
  };
}
