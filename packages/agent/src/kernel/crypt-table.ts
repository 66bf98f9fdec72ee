/** One device-mapper target that encrypts, as "dmsetup table" tells it; the key is never in it. */
export interface CryptTable {
  /** "aes-xts-plain64". */
  readonly cipher: string;
  /** Size of the key; undefined where it is not told. */
  readonly keyBits: number | undefined;
}

/**
 * parseCryptTable reads the one line of a dm-crypt device: "START LENGTH crypt CIPHER KEY IV_OFFSET DEVICE OFFSET…". The key is
 * ":BYTES:TYPE:NAME" where it lies in the kernel's keyring (Linux Documentation/admin-guide/device-mapper/dm-crypt.rst).
 * @returns undefined for every other table
 */
export function parseCryptTable(text: string): CryptTable | undefined {
  const lines = text.trim().split('\n');
  const match = /^0 \d+ crypt (\S+) (\S+) \d+ \S+ \d+(?: |$)/.exec(lines[0] ?? '');
  const [, cipher, key = ''] = match ?? [];
  if (lines.length !== 1 || cipher === undefined) return undefined;
  const bytes = /^:(\d{1,3}):\w+:/.exec(key)?.[1];
  const digits = /^[0-9a-f]+$/i.test(key) ? key.length / 2 : undefined;
  const keyBytes = bytes === undefined ? digits : Number(bytes);
  return { cipher, keyBits: keyBytes === undefined ? undefined : keyBytes * 8 };
}
