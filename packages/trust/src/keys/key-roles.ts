/** What each key is for. One key, one purpose: a key that leaks spoils one link only. */
export const keyRoles = {
  'platform-key': { title: 'platform key', modulusBits: 2048 },
  'key-exchange-key': { title: 'key exchange key', modulusBits: 2048 },
  boot: { title: 'boot signing', modulusBits: 2048 },
  verity: { title: 'root image signing', modulusBits: 2048 },
  pcr: { title: 'PCR policy signing', modulusBits: 3072 },
  release: { title: 'release signing', modulusBits: 3072 },
  'api-authority': { title: 'API client authority', modulusBits: undefined },
} as const satisfies Readonly<Record<string, KeyRoleEntry>>;

interface KeyRoleEntry {
  /** Part of the certificate's name, for people. */
  readonly title: string;
  /**
   * RSA modulus; absent: ECDSA P-256. Firmware of older machines takes no RSA key above 2048 bits in PK, KEK and db,
   * and the verity certificate is in db because the kernel's platform keyring is filled from there.
   */
  readonly modulusBits: number | undefined;
}

export type KeyRole = keyof typeof keyRoles;

export const keyRoleNames = Object.keys(keyRoles).filter(isKeyRole);

/** isKeyRole narrows a text to a role. */
export function isKeyRole(text: string): text is KeyRole {
  return Object.hasOwn(keyRoles, text);
}

/** Roles whose certificates, current and retired, firmware puts into db. */
export const dbRoles: readonly KeyRole[] = ['boot', 'verity'];
