import { readUki, type Uki } from '@plinth/formats';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';
import type { DiskLayout, Slot } from '../disk/disk-layout.ts';
import { type FileReader, sliceReader } from '../disk/file-reader.ts';

/** JSON of a verity-sig partition (UAPI.2). */
const signatureSchema = z.looseObject({
  rootHash: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.base64(),
});

/** A slot and what its signature partition says. */
export interface SlotImage {
  readonly slot: Slot;
  readonly rootHash: string | undefined;
  /** CMS, DER. */
  readonly signature: Uint8Array;
}

export interface UkiImage {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly uki: Uki;
  /** What its command line names, each once or more. */
  readonly rootHashes: readonly string[];
}

/** readSlotImage reads the signature partition of a slot; a hash that cannot be read is undefined. */
export async function readSlotImage(disk: FileReader, slot: Slot): Promise<SlotImage> {
  const bytes = await sliceReader(disk, slot.signature).read(0, Math.min(slot.signature.sizeBytes, 65_536));
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\0[\s\S]*$/, '');
  const parsed = signatureSchema.safeParse(parseJson(text));
  return parsed.success
    ? { slot, rootHash: parsed.data.rootHash, signature: Buffer.from(parsed.data.signature, 'base64') }
    : { slot, rootHash: undefined, signature: new Uint8Array() };
}

/**
 * readUkis reads all UKIs on the ESP.
 * @throws formats/pe-invalid, formats/truncated, release/disk-invalid
 */
export async function readUkis({ esp }: DiskLayout): Promise<UkiImage[]> {
  const images: UkiImage[] = [];
  for (const path of esp.paths.filter((name) => /^EFI\/Linux\/[^/]+\.efi$/.test(name))) {
    const bytes = await esp.read(path);
    const uki = readUki(bytes, path);
    const rootHashes = (uki.cmdline ?? '').split(/\s+/).flatMap((word) => {
      const [, rootHash] = /^roothash=(.*)$/.exec(word) ?? [];
      return rootHash === undefined ? [] : [rootHash];
    });
    images.push({ path, bytes, uki, rootHashes });
  }
  return images;
}
