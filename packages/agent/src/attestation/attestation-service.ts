import { randomBytes } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { create } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type ServiceImpl,
} from '@connectrpc/connect';
import {
  ActivateCredentialResponseSchema,
  ATTESTATION_CHANNEL,
  AttestationService,
  AttestResponseSchema,
  GetAttestationKeysResponseSchema,
} from '@plinth/api';
import { NONCE_BYTES } from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { inTurn } from '../in-turn.ts';
import type { Integrity } from '../integrity/collect-integrity.ts';
import { refusing, type Statuses } from '../refuse.ts';
import { sessionKey } from '../server/client-reach.ts';
import type { Sys } from '../sys/sys.ts';
import { collectEvidence } from './collect-evidence.ts';
import { collectNodeFacts } from './node-facts.ts';
import { type OpenTpm, openTpmDevice } from './tpm-device.ts';

const STATUSES: Statuses = {
  'attest/no-tpm': Code.FailedPrecondition,
  'attest/tpm-refused': Code.FailedPrecondition,
  'attest/structure-invalid': Code.FailedPrecondition,
  'attest/busy': Code.ResourceExhausted,
};

/** Making a key takes a TPM up to seconds: whoever comes when so many wait is sent away. */
const WAITING_LIMIT = 8;
const CREDENTIAL_LIMIT_BYTES = 1024;
/** Some TPMs make an RSA key for half a minute, and others may be waited for. */
const CALL_LIMIT_MS = 10 * 60_000;

/** What the service answers from. */
export interface AttestationParts {
  readonly sys: Sys;
  readonly nodeId: string;
  integrity(): Promise<Integrity>;
  /** Default: the TPM of this machine. */
  openTpm?(): Promise<OpenTpm>;
}

/** attestationService gives the routes of plinth.node.v1.AttestationService. The TPM does one thing at a time. */
export function attestationService(parts: AttestationParts): (router: ConnectRouter) => void {
  const { sys, nodeId, integrity, openTpm = () => openTpmDevice() } = parts;
  const turn = inTurn();
  let waiting = 0;
  const withTpm = async <T>(work: (tpm: OpenTpm['tpm']) => Promise<T>): Promise<T> => {
    if (waiting >= WAITING_LIMIT) {
      throw new PlinthError('attest/busy', `Cannot attest now: ${waiting} others wait for the TPM`, {
        retryable: true,
      });
    }
    waiting++;
    try {
      return await turn(async () => {
        await using open = await openTpm();
        return await work(open.tpm);
      });
    } finally {
      waiting--;
    }
  };
  const routes: ServiceImpl<typeof AttestationService> = {
    getAttestationKeys: () =>
      refusing(STATUSES, () =>
        withTpm(async (tpm) => {
          const [ek, ak] = [await tpm.createEk(), await tpm.createAk()];
          const ekCertificate = await tpm.readEkCertificate();
          return create(GetAttestationKeysResponseSchema, {
            ...{ ekPublic: ek.publicArea, akPublic: ak.publicArea },
            ...(ekCertificate && { ekCertificate }),
          });
        }),
      ),
    activateCredential: ({ blob, encryptedSeed }) => {
      requireSize('blob', blob, 1, CREDENTIAL_LIMIT_BYTES);
      requireSize('encrypted_seed', encryptedSeed, 1, CREDENTIAL_LIMIT_BYTES);
      return refusing(STATUSES, () =>
        withTpm(async (tpm) => {
          const keys = { ek: await tpm.createEk(), ak: await tpm.createAk() };
          const secret = await tpm.activateCredential(keys, { blob, encryptedSeed }, randomBytes(16));
          return create(ActivateCredentialResponseSchema, { secret });
        }),
      );
    },
    attest: ({ nonce }, context) => {
      requireSize('nonce', nonce, NONCE_BYTES, NONCE_BYTES);
      const channel = channelOf(context, nonce);
      return refusing(STATUSES, async () => {
        const facts = await collectNodeFacts(sys, nodeId, integrity);
        const evidence = await withTpm((tpm) => collectEvidence(sys, tpm, { nonce, channel, facts }));
        return create(AttestResponseSchema, {
          ...{ quoted: evidence.quoted, signature: evidence.signature, akPublic: evidence.akPublic },
          registers: evidence.registers.map((register) => ({ ...register })),
          ...{ firmwareLog: evidence.firmwareLog, systemLog: evidence.systemLog, facts },
        });
      });
    },
  };
  return (router) => {
    router.service(AttestationService, routes, { maxTimeoutMs: CALL_LIMIT_MS });
  };
}

function requireSize(field: string, bytes: Uint8Array, least: number, most: number): void {
  if (bytes.length >= least && bytes.length <= most) return;
  const expected = least === most ? String(least) : `${least} to ${most}`;
  throw new ConnectError(`${field} has ${bytes.length} bytes, expected ${expected}`, Code.InvalidArgument);
}

/** This end's bytes of the TLS session that the call came over; through a tunnel it is the caller's session too. */
function channelOf({ values }: HandlerContext, nonce: Uint8Array): Uint8Array {
  const socket = values.get(sessionKey)?.socket;
  if (!(socket instanceof TLSSocket))
    throw new ConnectError('the call came over no TLS session', Code.Internal);
  const { lengthBytes, label } = ATTESTATION_CHANNEL;
  return new Uint8Array(socket.exportKeyingMaterial(lengthBytes, label, Buffer.from(nonce)));
}
