import { constants, verify } from 'node:crypto';
import { concatBytes } from '@plinth/formats';
import { ALG, GENERATED, nodeDigest, TAG } from './constants.ts';
import { readPcrSelection } from './pcr-selection.ts';
import { type PublicArea, padLeft } from './public-area.ts';
import { TpmReader } from './tpm-reader.ts';

/** What a TPM says of its registers (TPMS_ATTEST with TPMS_QUOTE_INFO). */
export interface Quote {
  /** What the caller gave to be signed along: the nonce and what it is bound to. */
  readonly extraData: Uint8Array;
  /** Milliseconds for which the TPM was powered, since it was cleared. */
  readonly clockMs: number;
  /** Grows with each power cycle of the TPM. */
  readonly resetCount: number;
  /** Grows with each resume. */
  readonly restartCount: number;
  readonly pcrs: readonly number[];
  /** SHA-256 over the values of `pcrs`, in order. */
  readonly pcrDigest: Uint8Array;
}

/**
 * readQuote reads a TPMS_ATTEST that is a quote of the SHA-256 bank.
 * @throws formats/truncated, attest/structure-invalid
 */
export function readQuote(bytes: Uint8Array): Quote {
  const reader = new TpmReader(bytes, 'quote of a TPM');
  const magic = reader.u32();
  const type = reader.u16();
  if (magic !== GENERATED || type !== TAG.quote) {
    throw reader.fault(`type ${type.toString(16)} made by ${magic.toString(16)}, expected a quote of a TPM`);
  }
  reader.sized(); // qualified name of the signer; the signature says who it was
  const extraData = reader.sized();
  const clockMs = reader.u64();
  const [resetCount, restartCount] = [reader.u32(), reader.u32()];
  reader.u8(); // whether the clock was stored orderly
  reader.take(8); // firmware version
  const pcrs = readPcrSelection(reader);
  const pcrDigest = reader.sized();
  reader.end();
  return { extraData, clockMs, resetCount, restartCount, pcrs, pcrDigest };
}

/**
 * isSignedBy tells whether a TPMT_SIGNATURE over `message` is good: ECDSA by a P-256 or P-384 key, RSASSA or RSAPSS by RSA.
 * @throws formats/truncated, attest/structure-invalid for bytes that are no such signature
 */
export function isSignedBy(area: PublicArea, message: Uint8Array, signature: Uint8Array): boolean {
  const reader = new TpmReader(signature, 'signature of a TPM');
  const scheme = reader.u16();
  const digest = nodeDigest(reader.u16());
  if (!digest) throw reader.fault('another hash, expected SHA-256 or SHA-384');
  if (scheme === ALG.ecdsa && area.kind === 'ecc') {
    const [r, s] = [reader.sized(), reader.sized()];
    reader.end();
    const size = area.key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 48 : 32;
    if (r.length > size || s.length > size) return false;
    const plain = concatBytes([padLeft(r, size), padLeft(s, size)]);
    return verify(digest, message, { key: area.key, dsaEncoding: 'ieee-p1363' }, plain);
  }
  if ((scheme === ALG.rsassa || scheme === ALG.rsapss) && area.kind === 'rsa') {
    const value = reader.sized();
    reader.end();
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
    return verify(digest, message, { key: area.key, ...(scheme === ALG.rsapss && pss) }, value);
  }
  throw reader.fault(`scheme ${scheme} for a key of kind ${area.kind}, expected one that fits`);
}
