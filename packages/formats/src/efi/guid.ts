import { PlinthError } from '@plinth/base';
import { fromHex, hex } from '../bytes.ts';

const GUID_PATTERN = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/** decodeGuid reads 16 bytes in EFI order: three little-endian fields, then eight bytes as they stand. */
export function decodeGuid(bytes: Uint8Array): string {
  const [first, second, third] = [bytes.slice(0, 4), bytes.slice(4, 6), bytes.slice(6, 8)].map((field) =>
    hex(field.reverse()),
  );
  return [first, second, third, hex(bytes.slice(8, 10)), hex(bytes.slice(10, 16))].join('-');
}

/** encodeGuid gives the 16 bytes of a GUID in EFI order. */
export function encodeGuid(guid: string): Uint8Array {
  const groups = GUID_PATTERN.exec(guid)?.slice(1);
  if (!groups) throw new PlinthError('internal/bug', `Cannot encode GUID "${guid}": not in 8-4-4-4-12 form`);
  const fields = groups.map((group) => fromHex(group) ?? new Uint8Array());
  return Uint8Array.from(fields.flatMap((field, index) => (index < 3 ? [...field].reverse() : [...field])));
}
