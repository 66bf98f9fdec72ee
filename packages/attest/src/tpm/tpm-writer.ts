import { concatBytes } from '@plinth/formats';

/** u8 is one byte. */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** u16 is two bytes, big-endian as all numbers of TPM 2.0. */
export function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value);
  return bytes;
}

/** u32 is four bytes, big-endian. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** sized is a TPM2B: the length in two bytes, then the parts one after the other. */
export function sized(...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts);
  return concatBytes([u16(content.length), content]);
}
