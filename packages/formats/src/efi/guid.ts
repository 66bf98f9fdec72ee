import { PlinthError } from '@plinth/base';
import { fromHex, hex } from '../bytes.ts';

const GUID_PATTERN = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/** decodeGuid reads 16 bytes in EFI order: three little-endian fields, then eight bytes as they stand. */
export function decodeGuid(bytes: Uint8Array): string {
  const part = (start: number, end: number) => bytes.subarray(start, end);
  const littleEndian = [part(0, 4), part(4, 6), part(6, 8)].map((field) => field.toReversed());
  return [...littleEndian, part(8, 10), part(10, 16)].map(hex).join('-');
}

/** encodeGuid gives the 16 bytes of a GUID in EFI order. */
export function encodeGuid(guid: string): Uint8Array {
  const groups = GUID_PATTERN.exec(guid)?.slice(1);
  if (!groups) throw new PlinthError('internal/bug', `Cannot encode GUID "${guid}": not in 8-4-4-4-12 form`);
  const fields = groups.map((group) => fromHex(group) ?? new Uint8Array());
  return Uint8Array.from(fields.flatMap((field, index) => (index < 3 ? [...field].reverse() : [...field])));
}
