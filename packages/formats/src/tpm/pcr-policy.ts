import { concatBytes, hex, sha256 } from '../bytes.ts';

/** One signed PCR policy as `.pcrsig` holds it. */
export interface PcrSignature {
  readonly pcr: number;
  /** SHA-256 of the public key in PKCS #1 DER, hex. */
  readonly publicKeyFingerprint: string;
  readonly policyDigest: Uint8Array;
  readonly signature: Uint8Array;
}

const TPM_CC_POLICY_PCR = 0x0000_017f;
const TPM_ALG_SHA256 = 0x000b;
const PCR_SELECT_BYTES = 3;

/**
 * pcrPolicyDigest gives the policy that one PCR of the SHA-256 bank has one value
 * (TPM 2.0 part 3, TPM2_PolicyPCR): H(zeros, command code, TPML_PCR_SELECTION, H(value)).
 */
export function pcrPolicyDigest(pcr: number, value: Uint8Array): Uint8Array {
  const command = new Uint8Array(4);
  new DataView(command.buffer).setUint32(0, TPM_CC_POLICY_PCR);
  const selection = new Uint8Array(4 + 2 + 1 + PCR_SELECT_BYTES);
  const view = new DataView(selection.buffer);
  view.setUint32(0, 1);
  view.setUint16(4, TPM_ALG_SHA256);
  view.setUint8(6, PCR_SELECT_BYTES);
  view.setUint8(7 + Math.floor(pcr / 8), 1 << (pcr % 8));
  return sha256(concatBytes([new Uint8Array(32), command, selection, sha256(value)]));
}

/** encodePcrSignatures gives the JSON of a `.pcrsig` section, as `systemd-measure sign` writes it (systemd-measure(1)). */
export function encodePcrSignatures(signatures: readonly PcrSignature[]): string {
  const entries = signatures.map(({ pcr, publicKeyFingerprint, policyDigest, signature }) => ({
    pcrs: [pcr],
    pkfp: publicKeyFingerprint,
    pol: hex(policyDigest),
    sig: Buffer.from(signature).toString('base64'),
  }));
  return `${JSON.stringify({ sha256: entries })}\n`;
}
