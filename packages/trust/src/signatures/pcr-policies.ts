import {
  encodePcrSignatures,
  hex,
  type PcrAtPhase,
  type PcrSignature,
  pcrPolicyDigest,
  sha256,
} from '@plinth/formats';
import type { Signer } from '../signer.ts';

const UKI_PCR = 11;

/**
 * signPcrPolicies signs, for each boot phase, the policy that PCR 11 has the value predicted for it, and gives the
 * JSON of a UKI's `.pcrsig` section, as `systemd-measure sign --bank=sha256` would (systemd-measure(1)).
 * @param predictions from `predictPcr11`; fewer phases let secrets be bound to them only (say, to the initrd)
 * @throws trust/signing-failed
 */
export async function signPcrPolicies(signer: Signer, predictions: readonly PcrAtPhase[]): Promise<string> {
  // systemd names a key by its PKCS #1 form, not by the SubjectPublicKeyInfo that keyId is made from.
  const publicKey = signer.certificate.publicKey.export({ type: 'pkcs1', format: 'der' });
  const publicKeyFingerprint = hex(sha256(publicKey));
  const signatures: PcrSignature[] = [];
  for (const { value } of predictions) {
    const policyDigest = pcrPolicyDigest(UKI_PCR, value);
    signatures.push({
      pcr: UKI_PCR,
      publicKeyFingerprint,
      policyDigest,
      signature: await signer.sign(policyDigest),
    });
  }
  return encodePcrSignatures(signatures);
}

/** pcrPublicKeyPem gives the content of a UKI's `.pcrpkey` section. */
export function pcrPublicKeyPem(signer: Signer): string {
  return signer.certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
