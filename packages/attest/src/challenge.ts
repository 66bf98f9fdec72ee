import { randomBytes } from 'node:crypto';
import { concatBytes, encodeText, sha256 } from '@plinth/formats';
import type { EvidenceParts, Exchange } from './judge/judgement.ts';

/** Registers that are quoted: all that a boot measures into, without 10 (IMA, which is not used). */
export const ATTESTED_PCRS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15];
export const NONCE_BYTES = 32;

/** What a quote is made for. */
export interface Binding {
  readonly nonce: Uint8Array;
  /** Bytes exported from the TLS session over which the evidence comes. */
  readonly channel: Uint8Array;
  /** What the node says of itself, as it sends it. */
  readonly facts: Uint8Array;
}

/** extraDataOf is what the TPM signs along with its registers: one hash over all that the quote is for. */
export function extraDataOf({ nonce, channel, facts }: Binding): Uint8Array {
  return sha256(concatBytes([encodeText('plinth attestation 1\0'), nonce, channel, sha256(facts)]));
}

/** pcrDigestOf is what a quote has of the registers: SHA-256 over their values in order. */
export function pcrDigestOf(values: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(values));
}

const monotonicMs = () => performance.now();

/**
 * challenge asks for evidence once, with a fresh nonce, by this side's monotonic clock.
 * @param attest asks the node, and gives this end's bytes of the TLS session with what came
 */
export async function challenge<Evidence extends EvidenceParts>(
  attest: (nonce: Uint8Array) => Promise<{ readonly evidence: Evidence; readonly channel: Uint8Array }>,
  nowMs: () => number = monotonicMs,
): Promise<{ readonly evidence: Evidence; readonly exchange: Exchange }> {
  const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
  const askedAtMs = nowMs();
  const { evidence, channel } = await attest(nonce);
  return { evidence, exchange: { nonce, channel, askedAtMs, answeredAtMs: nowMs() } };
}
