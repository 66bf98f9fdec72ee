import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { concatBytes } from '@plinth/formats';
import { ALG, ATTRIBUTE, CURVE, nodeDigest } from './constants.ts';
import { TpmReader } from './tpm-reader.ts';
import { u16, u32 } from './tpm-writer.ts';

/** The public half of a key in a TPM (TPMT_PUBLIC). */
export interface PublicArea {
  /** The bytes it was read from. */
  readonly bytes: Uint8Array;
  readonly kind: 'rsa' | 'ecc';
  /** Bits of TPMA_OBJECT. */
  readonly attributes: number;
  readonly authPolicy: Uint8Array;
  readonly key: KeyObject;
  /** Name of the object: its hash algorithm and the digest of `bytes`. */
  readonly name: Uint8Array;
}

/**
 * readPublicArea reads a TPMT_PUBLIC: RSA of 2048 to 4096 bits, or a point of P-256 or P-384.
 * @throws formats/truncated, attest/structure-invalid
 */
export function readPublicArea(bytes: Uint8Array): PublicArea {
  const reader = new TpmReader(bytes, 'public area of a TPM key');
  const type = reader.u16();
  const nameAlg = reader.u16();
  const digest = nodeDigest(nameAlg);
  if (!digest) throw reader.fault(`hash algorithm ${nameAlg} for its name, expected SHA-256 or SHA-384`);
  const attributes = reader.u32();
  const authPolicy = reader.sized();
  if (type !== ALG.rsa && type !== ALG.ecc) throw reader.fault(`key type ${type}, expected RSA or ECC`);
  const jwk = type === ALG.rsa ? readRsa(reader) : readEcc(reader);
  reader.end();
  return {
    bytes,
    kind: type === ALG.rsa ? 'rsa' : 'ecc',
    attributes,
    authPolicy,
    key: publicKey(reader, jwk),
    name: concatBytes([u16(nameAlg), new Uint8Array(createHash(digest).update(bytes).digest())]),
  };
}

type Jwk = Readonly<Record<string, string>>;

function publicKey(reader: TpmReader, jwk: Jwk): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // What OpenSSL says of it, such as a point off the curve, means no more than this.
    throw reader.fault('numbers that are no key, expected a valid public key');
  }
}

function readRsa(reader: TpmReader): Jwk {
  skipSymmetric(reader);
  skipScheme(reader);
  const bits = reader.u16();
  const exponent = reader.u32() || 65_537;
  const modulus = reader.sized();
  if (bits < 2048 || bits > 4096 || modulus.length * 8 !== bits || exponent !== 65_537) {
    throw reader.fault(`RSA of ${bits} bits with exponent ${exponent}, expected 2048 to 4096 and 65537`);
  }
  return { kty: 'RSA', n: base64Url(modulus), e: 'AQAB' };
}

const CURVES: ReadonlyMap<number, { readonly crv: string; readonly sizeBytes: number }> = new Map([
  [CURVE.p256, { crv: 'P-256', sizeBytes: 32 }],
  [CURVE.p384, { crv: 'P-384', sizeBytes: 48 }],
]);

function readEcc(reader: TpmReader): Jwk {
  skipSymmetric(reader);
  skipScheme(reader);
  const curveId = reader.u16();
  const curve = CURVES.get(curveId);
  skipScheme(reader); // the key derivation scheme has the same shape
  const [x, y] = [reader.sized(), reader.sized()];
  if (!curve || x.length > curve.sizeBytes || y.length > curve.sizeBytes) {
    throw reader.fault(`a point of curve ${curveId}, expected one of P-256 or P-384`);
  }
  const coordinate = (bytes: Uint8Array) => base64Url(padLeft(bytes, curve.sizeBytes));
  return { kty: 'EC', crv: curve.crv, x: coordinate(x), y: coordinate(y) };
}

function skipSymmetric(reader: TpmReader): void {
  if (reader.u16() !== ALG.null) reader.u32(); // key bits and mode
}

function skipScheme(reader: TpmReader): void {
  if (reader.u16() !== ALG.null) reader.u16(); // its hash
}

/** padLeft fills a number to so many bytes; a TPM may leave leading zeros out. */
export function padLeft(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  return concatBytes([new Uint8Array(Math.max(0, sizeBytes - bytes.length)), bytes]);
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

const KEY_OF_THIS_TPM = ATTRIBUTE.fixedTpm | ATTRIBUTE.fixedParent | ATTRIBUTE.sensitiveDataOrigin;

/**
 * isAttestationKey tells whether a key can only be in a TPM and signs only what that TPM itself says: made there, bound to
 * it, restricted, for signatures alone. Any other key could sign a quote that somebody wrote.
 */
export function isAttestationKey({ attributes }: PublicArea): boolean {
  const needed = KEY_OF_THIS_TPM | ATTRIBUTE.restricted | ATTRIBUTE.sign;
  return (attributes & needed) === needed && (attributes & ATTRIBUTE.decrypt) === 0;
}

/** isEndorsementKey tells whether a key is a storage key that can only be in a TPM; that it is the maker's, its certificate tells. */
export function isEndorsementKey({ attributes, kind }: PublicArea): boolean {
  const needed = KEY_OF_THIS_TPM | ATTRIBUTE.restricted | ATTRIBUTE.decrypt;
  return kind === 'rsa' && (attributes & needed) === needed && (attributes & ATTRIBUTE.sign) === 0;
}

/** PolicySecret of the endorsement hierarchy: "PolicyA" of the TCG EK Credential Profile. */
const EK_POLICY = Buffer.from('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 'hex');

/** ekTemplate is template L-1 of the TCG EK Credential Profile: the RSA key whose certificate TPM makers give. */
export function ekTemplate(): Uint8Array {
  return concatBytes([
    u16(ALG.rsa),
    u16(ALG.sha256),
    u32(KEY_OF_THIS_TPM | ATTRIBUTE.adminWithPolicy | ATTRIBUTE.restricted | ATTRIBUTE.decrypt),
    concatBytes([u16(EK_POLICY.length), EK_POLICY]),
    ...[u16(ALG.aes), u16(128), u16(ALG.cfb)],
    u16(ALG.null),
    u16(2048),
    u32(0),
    concatBytes([u16(256), new Uint8Array(256)]),
  ]);
}

/**
 * akTemplate is Plinth's attestation key: ECDSA with P-256. A primary key is derived from the TPM's seed and this
 * template, so one TPM gives the same key for ever and nothing has to be stored.
 */
export function akTemplate(): Uint8Array {
  const attributes =
    KEY_OF_THIS_TPM |
    ATTRIBUTE.userWithAuth |
    ATTRIBUTE.noDictionaryAttack |
    ATTRIBUTE.restricted |
    ATTRIBUTE.sign;
  const label = createHash('sha256').update('plinth attestation key 1').digest();
  return concatBytes([
    u16(ALG.ecc),
    u16(ALG.sha256),
    u32(attributes),
    u16(0), // no policy
    u16(ALG.null),
    ...[u16(ALG.ecdsa), u16(ALG.sha256)],
    u16(CURVE.p256),
    u16(ALG.null),
    ...[u16(label.length), new Uint8Array(label), u16(32), new Uint8Array(32)],
  ]);
}
