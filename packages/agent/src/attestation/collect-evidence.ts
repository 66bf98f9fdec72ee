import { ATTESTED_PCRS, extraDataOf, pcrDigestOf, readQuote, type Tpm } from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { fromHex, hex } from '@plinth/formats';
import { readPcrs } from '../integrity/tpm.ts';
import { readBytes, type Sys } from '../sys/sys.ts';

/** Where the kernel has the log of the firmware; one register bank's worth of text is not in it, so it stays small. */
const FIRMWARE_LOG = '/sys/kernel/security/tpm0/binary_bios_measurements';
/** Where systemd writes what it measures itself. */
const SYSTEM_LOG = '/run/log/systemd/tpm2-measure.log';
/** The registers may change while they are read: a boot phase, a volume. */
const ATTEMPTS = 4;

/** What a quote is bound to, and the facts that go with it. */
export interface EvidenceRequest {
  readonly nonce: Uint8Array;
  readonly channel: Uint8Array;
  readonly facts: Uint8Array;
}

export interface Evidence {
  readonly quoted: Uint8Array;
  readonly signature: Uint8Array;
  readonly akPublic: Uint8Array;
  readonly registers: readonly { readonly index: number; readonly sha256: Uint8Array }[];
  readonly firmwareLog: Uint8Array;
  readonly systemLog: Uint8Array;
}

/**
 * collectEvidence has the TPM sign its registers, with the logs of the same moment.
 * @throws attest/no-tpm for registers or a log that cannot be read; attest/tpm-refused
 */
export async function collectEvidence(sys: Sys, tpm: Tpm, request: EvidenceRequest): Promise<Evidence> {
  const ak = await tpm.createAk();
  const extraData = extraDataOf(request);
  for (let attempt = 1; ; attempt++) {
    const before = await readLogs(sys);
    const registers = await readRegisters(sys);
    const { quoted, signature } = await tpm.quote(ak, extraData, ATTESTED_PCRS);
    const same = hex(readQuote(quoted).pcrDigest) === hex(pcrDigestOf(registers.map(({ sha256 }) => sha256)));
    const after = await readLogs(sys);
    const settled = same && after.systemLog.equals(before.systemLog);
    // A judge elsewhere has to say what does not fit; after some tries it gets what there is.
    if (settled || attempt === ATTEMPTS) {
      return { quoted, signature, akPublic: ak.publicArea, registers, ...after };
    }
  }
}

async function readLogs(sys: Sys): Promise<{ firmwareLog: Buffer; systemLog: Buffer }> {
  const firmwareLog = await readBytes(sys, FIRMWARE_LOG);
  if (!firmwareLog) {
    throw new PlinthError(
      'attest/no-tpm',
      `Cannot attest: ${FIRMWARE_LOG} is missing, expected the firmware's log`,
    );
  }
  return { firmwareLog, systemLog: (await readBytes(sys, SYSTEM_LOG)) ?? Buffer.alloc(0) };
}

async function readRegisters(sys: Sys): Promise<Evidence['registers']> {
  const values = new Map((await readPcrs(sys)).map(({ index, sha256 }) => [index, fromHex(sha256)]));
  return ATTESTED_PCRS.map((index) => {
    const sha256 = values.get(index);
    if (sha256) return { index, sha256 };
    throw new PlinthError(
      'attest/no-tpm',
      `Cannot attest: PCR ${index} cannot be read, expected a SHA-256 bank`,
    );
  });
}
