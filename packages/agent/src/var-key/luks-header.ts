import { z } from 'zod';

/** Magic and version 2 of a LUKS header (LUKS2 On-Disk Format Specification, 2.1). */
const MAGIC = Buffer.from('LUKS\xba\xbe\0\x02', 'latin1');
/** The JSON area begins here, and the binary header tells where it ends. */
const JSON_OFFSET = 4096;
const SIZE_OFFSET = 8;
/** The UUID of the volume, as text closed by zeros. */
const UUID_OFFSET = 168;
const UUID_BYTES = 40;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The largest header of the format has 4 MiB; systemd-repart makes one of 16 KiB. More is not read. */
export const HEADER_LIMIT_BYTES = 512 * 1024;

const slotNumbers = z.array(z.string().regex(/^\d{1,2}$/)).max(32);
const pcrs = z.array(z.int().min(0).max(23)).max(24);
const metadataSchema = z.object({
  keyslots: z.record(z.string().regex(/^\d{1,2}$/), z.looseObject({ type: z.string() })),
  tokens: z
    .record(
      z.string(),
      z.looseObject({
        type: z.string(),
        keyslots: slotNumbers,
        'tpm2-pcrs': pcrs.optional(),
        tpm2_pubkey_pcrs: pcrs.optional(),
      }),
    )
    .default({}),
});

/** What opens a key slot of LUKS. */
export interface KeySlot {
  readonly slot: number;
  readonly kind: 'tpm2' | 'recovery' | 'other';
  /** Registers whose signed values the TPM asks for. */
  readonly signedPcrs: readonly number[];
  /** Registers whose one value the TPM asks for. */
  readonly literalPcrs: readonly number[];
}

/** headerSize tells how many bytes the header at the beginning of a volume has; undefined where there is no LUKS2. */
export function headerSize(begin: Buffer): number | undefined {
  if (begin.length < SIZE_OFFSET + 8 || !begin.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const size = begin.readBigUInt64BE(SIZE_OFFSET);
  return size > JSON_OFFSET && size <= HEADER_LIMIT_BYTES ? Number(size) : undefined;
}

/** volumeId reads the UUID from the header at the beginning of a LUKS2 volume; undefined where there is none. */
export function volumeId(begin: Buffer): string | undefined {
  if (headerSize(begin) === undefined) return undefined;
  const field = begin.subarray(UUID_OFFSET, UUID_OFFSET + UUID_BYTES).toString('latin1');
  const [text = ''] = field.split('\0');
  return UUID.test(text) ? text : undefined;
}

/**
 * parseKeySlots reads the key slots from the first header of a LUKS2 volume, and what systemd noted about each.
 * @returns undefined where this is not one, or its metadata are not as systemd and cryptsetup write them
 */
export function parseKeySlots(header: Buffer): readonly KeySlot[] | undefined {
  const size = headerSize(header);
  if (size === undefined || header.length < size) return undefined;
  const area = header.subarray(JSON_OFFSET, size);
  const end = area.indexOf(0);
  const metadata = metadataSchema.safeParse(jsonOf(area.subarray(0, end < 0 ? area.length : end)));
  if (!metadata.success) return undefined;
  const { keyslots, tokens } = metadata.data;
  return Object.keys(keyslots)
    .map(Number)
    .sort((a, b) => a - b)
    .map((slot) => {
      const token = Object.values(tokens).find((each) => each.keyslots.includes(String(slot)));
      return {
        slot,
        kind: kindOf(token?.type),
        signedPcrs: token?.tpm2_pubkey_pcrs ?? [],
        literalPcrs: token?.['tpm2-pcrs'] ?? [],
      };
    });
}

function kindOf(type: string | undefined): KeySlot['kind'] {
  if (type === 'systemd-tpm2') return 'tpm2';
  return type === 'systemd-recovery' ? 'recovery' : 'other';
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // Not as it should be: the schema refuses it.
    return undefined;
  }
}
