/** A dm-verity target as `dmsetup table` prints it. */
export interface VerityTable {
  readonly dataDevice: string;
  readonly hashDevice: string;
  readonly algorithm: string;
  /** Hexadecimal. */
  readonly rootHash: string;
  /** Optional arguments, for instance "panic_on_corruption"; those with a value carry it: "root_hash_sig_key_desc x". */
  readonly options: readonly string[];
  /** Name of the key ring entry that held the signature the kernel checked; undefined without a signature. */
  readonly signatureKey: string | undefined;
}

/**
 * parseVerityTable reads one line of `dmsetup table NAME`; undefined when it is not one dm-verity target of
 * version 1. Source: Linux Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters".
 */
export function parseVerityTable(line: string): VerityTable | undefined {
  const words = line.trim().split(/\s+/);
  const [, , target, version, dataDevice, hashDevice, , , , , algorithm, rootHash, , count] = words;
  if (line.trim().includes('\n') || target !== 'verity' || version !== '1') return undefined;
  if (!dataDevice || !hashDevice || !algorithm || !rootHash || !/^([0-9a-f]{2}){16,64}$/.test(rootHash)) {
    return undefined;
  }
  const options = words.slice(14, 14 + Number(count ?? 0));
  const at = options.indexOf('root_hash_sig_key_desc');
  const signatureKey = at < 0 ? undefined : options[at + 1];
  return { dataDevice, hashDevice, algorithm, rootHash, options, signatureKey };
}

/** What the kernel has seen on a dm-verity device. */
export type VerityStatus = 'verified' | 'corrupted';

/** parseVerityStatus reads `dmsetup status NAME`: "V", or "C" once a block was found corrupted (verity.rst, "Status"). */
export function parseVerityStatus(line: string): VerityStatus | undefined {
  const [, , target, status] = line.trim().split(/\s+/);
  if (target !== 'verity') return undefined;
  if (status === 'V') return 'verified';
  return status === 'C' ? 'corrupted' : undefined;
}
