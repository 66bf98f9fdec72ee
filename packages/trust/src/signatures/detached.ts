import { encodeText } from '@plinth/formats';
import type { Certificate } from '../certificate.ts';
import { derTags, expectTag, octetString } from '../cms/der.ts';
import { contentInfo, encodeSignedData } from '../cms/signed-data.ts';
import { asVerdict, readSignedMessage, verifySignedMessage } from '../cms/verify-signed-data.ts';
import type { Signer } from '../signer.ts';
import { type SignatureVerdict, signatureFails } from '../verdict.ts';

/**
 * signDetached signs a file's bytes as a CMS message beside it (`.p7s`), with the signer's certificate inside, for
 * `openssl cms -verify -binary -inform der -content FILE -CAfile CERTIFICATE -purpose any`.
 * @throws trust/signing-failed
 */
export async function signDetached(signer: Signer, data: Uint8Array): Promise<Uint8Array> {
  return contentInfo(
    await encodeSignedData(signer, { data, signedAttributes: true, includeCertificate: true }),
  );
}

/** verifyDetached checks a CMS message over bytes that lie elsewhere. */
export function verifyDetached(
  data: Uint8Array,
  signature: Uint8Array,
  trusted: readonly Certificate[],
): SignatureVerdict {
  return asVerdict(() => {
    const message = readSignedMessage(signature);
    return message.content
      ? signatureFails('it carries its own content, expected a detached signature')
      : verifySignedMessage(message, data, trusted);
  });
}

/**
 * signRootHash signs a dm-verity root hash so that the kernel accepts it (CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG):
 * over its lower-case hexadecimal text, without attributes and without certificates.
 * @throws trust/signing-failed
 */
export async function signRootHash(signer: Signer, rootHash: string): Promise<Uint8Array> {
  const data = encodeText(rootHash);
  return contentInfo(
    await encodeSignedData(signer, { data, signedAttributes: false, includeCertificate: false }),
  );
}

/** verifyRootHashSignature checks what signRootHash, repart or openssl made. */
export function verifyRootHashSignature(
  rootHash: string,
  signature: Uint8Array,
  trusted: readonly Certificate[],
): SignatureVerdict {
  return verifyDetached(encodeText(rootHash), signature, trusted);
}

/**
 * signIpePolicy signs the text of an IPE policy with the text inside, as the kernel takes it (security/ipe/policy.c): no
 * attributes, no certificates; the kernel finds the key by issuer and serial number.
 * @throws trust/signing-failed
 */
export async function signIpePolicy(signer: Signer, text: string): Promise<Uint8Array> {
  const data = encodeText(text);
  const parts = { data, embedded: octetString(data), signedAttributes: false, includeCertificate: false };
  return contentInfo(await encodeSignedData(signer, parts));
}

/** verifyIpePolicy checks a policy that carries its own text, as signIpePolicy makes it. */
export function verifyIpePolicy(policy: Uint8Array, trusted: readonly Certificate[]): SignatureVerdict {
  return asVerdict(() => {
    const message = readSignedMessage(policy);
    return message.content
      ? verifySignedMessage(
          message,
          expectTag(message.content, derTags.octetString, 'policy').content,
          trusted,
        )
      : signatureFails('it carries no text, expected a policy');
  });
}
