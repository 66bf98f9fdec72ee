/** Numbers of the TPM 2.0 specification, part 2, by their names there; only what is used. */

export const ALG = {
  rsa: 0x0001,
  aes: 0x0006,
  sha256: 0x000b,
  sha384: 0x000c,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;

export const CURVE = { p256: 0x0003, p384: 0x0004 } as const;

export const COMMAND = {
  createPrimary: 0x0131,
  activateCredential: 0x0147,
  nvRead: 0x014e,
  policySecret: 0x0151,
  quote: 0x0158,
  flushContext: 0x0165,
  nvReadPublic: 0x0169,
  startAuthSession: 0x0176,
} as const;

export const HANDLE = {
  null: 0x4000_0007,
  /** A "session" that is a password; the empty one here. */
  password: 0x4000_0009,
  endorsement: 0x4000_000b,
} as const;

export const TAG = { noSessions: 0x8001, sessions: 0x8002, quote: 0x8018 } as const;

/** Bits of TPMA_OBJECT. */
export const ATTRIBUTE = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDictionaryAttack: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

/** Structures that a TPM signs begin with it ("\xffTCG"), and a restricted key signs nothing else that does. */
export const GENERATED = 0xff54_4347;

/** nodeDigest names a hash as node:crypto does; undefined for one that is not accepted. */
export function nodeDigest(alg: number): 'sha256' | 'sha384' | undefined {
  if (alg === ALG.sha256) return 'sha256';
  return alg === ALG.sha384 ? 'sha384' : undefined;
}
