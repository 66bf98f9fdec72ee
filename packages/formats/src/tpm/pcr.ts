import { sha256 } from '../bytes.ts';

/** A PCR of the SHA-256 bank after a reset. */
export const PCR_RESET: Uint8Array = new Uint8Array(32);

/** extendPcr gives the new value of a SHA-256 PCR (TPM 2.0 part 1, 11.4.7): H(old value, digest of the event). */
export function extendPcr(value: Uint8Array, digest: Uint8Array): Uint8Array {
  return sha256(value, digest);
}

/** replayPcr extends a PCR with the digests of events, first to last. */
export function replayPcr(digests: readonly Uint8Array[], start: Uint8Array = PCR_RESET): Uint8Array {
  return digests.reduce(extendPcr, start);
}

/** One measurement that is foreseen: what is measured, in words, and its digest. */
export interface Measurement {
  readonly what: string;
  readonly digest: Uint8Array;
}

/** replayMeasurements gives the value of a PCR after measurements, first to last. */
export function replayMeasurements(measurements: readonly Measurement[]): Uint8Array {
  return replayPcr(measurements.map(({ digest }) => digest));
}
