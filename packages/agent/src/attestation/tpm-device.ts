import { open } from 'node:fs/promises';
import { type Tpm, tpmOver } from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { errorCode } from '../sys/sys.ts';

/** The kernel's resource manager: handles are of one open file, and gone with it. */
export const TPM_DEVICE = '/dev/tpmrm0';
const ANSWER_LIMIT_BYTES = 4096;

/** A TPM for one piece of work. */
export interface OpenTpm extends AsyncDisposable {
  readonly tpm: Tpm;
}

/**
 * openTpmDevice opens the TPM of this machine; what it holds for us goes when it is closed.
 * @throws attest/no-tpm
 */
export async function openTpmDevice(path = TPM_DEVICE): Promise<OpenTpm> {
  const file = await open(path, 'r+').catch((reason: unknown) => {
    const why = errorCode(reason) || String(reason);
    throw new PlinthError('attest/no-tpm', `Cannot use the TPM: ${path} does not open (${why})`);
  });
  return {
    tpm: tpmOver(async (command) => {
      // One write is one command, the read waits for its answer; neither has a place in the "file".
      await file.write(command, 0, command.length, null);
      const { buffer, bytesRead } = await file.read(
        new Uint8Array(ANSWER_LIMIT_BYTES),
        0,
        ANSWER_LIMIT_BYTES,
        null,
      );
      return buffer.subarray(0, bytesRead);
    }),
    [Symbol.asyncDispose]: () => file.close(),
  };
}
