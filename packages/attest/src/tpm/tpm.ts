import { PlinthError } from '@plinth/base';
import { concatBytes } from '@plinth/formats';
import { runCommand, type Transmit } from './command.ts';
import { ALG, COMMAND, HANDLE } from './constants.ts';
import { encodePcrSelection } from './pcr-selection.ts';
import { akTemplate, ekTemplate } from './public-area.ts';
import { sized, u8, u16, u32 } from './tpm-writer.ts';

/** A key that is loaded in the TPM for as long as its connection is open. */
export interface LoadedKey {
  readonly handle: number;
  /** TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
}

/** What Plinth asks of a TPM. Handles are of one connection; whoever opened it, flushes them or closes it. */
export interface Tpm {
  /** The endorsement key, template L-1. */
  createEk(): Promise<LoadedKey>;
  /** Plinth's attestation key; the same one each time. */
  createAk(): Promise<LoadedKey>;
  /** The maker's certificate of the endorsement key, DER; undefined where the TPM has none. */
  readEkCertificate(): Promise<Uint8Array | undefined>;
  /** TPMS_ATTEST and TPMT_SIGNATURE over the named registers and at most 32 bytes of the caller's. */
  quote(
    ak: LoadedKey,
    extraData: Uint8Array,
    pcrs: readonly number[],
  ): Promise<{ readonly quoted: Uint8Array; readonly signature: Uint8Array }>;
  /** The secret of a credential that was made for both keys. @param nonce 16 random bytes */
  activateCredential(
    keys: { readonly ak: LoadedKey; readonly ek: LoadedKey },
    credential: { readonly blob: Uint8Array; readonly encryptedSeed: Uint8Array },
    nonce: Uint8Array,
  ): Promise<Uint8Array>;
  flush(handle: number): Promise<void>;
}

/** Where TPM makers leave the certificate of the RSA key (TCG EK Credential Profile, 2.2.1.4). */
const EK_CERTIFICATE_INDEX = 0x01c0_0002;
const CERTIFICATE_LIMIT_BYTES = 4096;
const NV_PIECE_BYTES = 512;
const POLICY_SESSION = 1;

/**
 * tpmOver gives the commands of a TPM over a way to send it bytes. Each throws attest/tpm-refused with the TPM's code,
 * attest/structure-invalid or formats/truncated for an answer that is none, and what `transmit` throws.
 */
export function tpmOver(transmit: Transmit): Tpm {
  const createPrimary = async (template: Uint8Array): Promise<LoadedKey> => {
    const { handle, parameters } = await runCommand(transmit, {
      name: 'createPrimary',
      code: COMMAND.createPrimary,
      handles: [HANDLE.endorsement],
      sessions: [HANDLE.password],
      // No password and no data for it, no outside information, no registers to note.
      parameters: [sized(u16(0), u16(0)), sized(template), u16(0), u32(0)],
      givesHandle: true,
    });
    return { handle, publicArea: parameters.sized() };
  };
  const flush = async (handle: number) => {
    const parameters = [u32(handle)];
    await runCommand(transmit, { name: 'flushContext', code: COMMAND.flushContext, parameters });
  };
  return {
    createEk: () => createPrimary(ekTemplate()),
    createAk: () => createPrimary(akTemplate()),
    readEkCertificate: () => readIndex(transmit, EK_CERTIFICATE_INDEX),
    flush,
    quote: async (ak, extraData, pcrs) => {
      const { parameters } = await runCommand(transmit, {
        name: 'quote',
        code: COMMAND.quote,
        handles: [ak.handle],
        sessions: [HANDLE.password],
        parameters: [sized(extraData), u16(ALG.null), encodePcrSelection(pcrs)],
      });
      return { quoted: parameters.sized(), signature: parameters.rest() };
    },
    activateCredential: async ({ ak, ek }, { blob, encryptedSeed }, nonce) => {
      const session = await startPolicySession(transmit, nonce);
      try {
        const { parameters } = await runCommand(transmit, {
          name: 'activateCredential',
          code: COMMAND.activateCredential,
          handles: [ak.handle, ek.handle],
          sessions: [HANDLE.password, session],
          parameters: [blob, encryptedSeed],
        });
        return parameters.sized();
      } finally {
        await flush(session);
      }
    },
  };
}

/** A policy session that has proven the (empty) password of the endorsement hierarchy, which the key's policy asks for. */
async function startPolicySession(transmit: Transmit, nonce: Uint8Array): Promise<number> {
  const { handle } = await runCommand(transmit, {
    name: 'startAuthSession',
    code: COMMAND.startAuthSession,
    handles: [HANDLE.null, HANDLE.null],
    parameters: [sized(nonce), u16(0), u8(POLICY_SESSION), u16(ALG.null), u16(ALG.sha256)],
    givesHandle: true,
  });
  await runCommand(transmit, {
    name: 'policySecret',
    code: COMMAND.policySecret,
    handles: [HANDLE.endorsement, handle],
    sessions: [HANDLE.password],
    parameters: [u16(0), u16(0), u16(0), u32(0)],
  });
  return handle;
}

/** TPM_RC_HANDLE for the first handle: there is no such index. */
const NO_SUCH_INDEX = 0x18b;

async function readIndex(transmit: Transmit, index: number): Promise<Uint8Array | undefined> {
  const sizeBytes = await indexSize(transmit, index);
  if (sizeBytes === undefined || sizeBytes > CERTIFICATE_LIMIT_BYTES) return undefined;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < sizeBytes; at += NV_PIECE_BYTES) {
    const { parameters } = await runCommand(transmit, {
      name: 'nvRead',
      code: COMMAND.nvRead,
      handles: [index, index],
      sessions: [HANDLE.password],
      parameters: [u16(Math.min(NV_PIECE_BYTES, sizeBytes - at)), u16(at)],
    });
    pieces.push(parameters.sized());
  }
  return concatBytes(pieces);
}

async function indexSize(transmit: Transmit, index: number): Promise<number | undefined> {
  try {
    const { parameters } = await runCommand(transmit, {
      name: 'nvReadPublic',
      code: COMMAND.nvReadPublic,
      handles: [index],
      parameters: [],
    });
    parameters.u16(); // size of what follows
    parameters.u32(); // index
    parameters.u16(); // hash of its name
    parameters.u32(); // attributes
    parameters.sized(); // policy
    return parameters.u16();
  } catch (reason) {
    if (reason instanceof PlinthError && reason.details['code'] === NO_SUCH_INDEX) return undefined;
    throw reason;
  }
}
