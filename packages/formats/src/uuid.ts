import { hash } from 'node:crypto';

/** hexUuid writes 32 hex digits in the form of a UUID, in small letters. */
export function hexUuid(digits: string): string {
  return digits.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** seededUuid gives a version-8 UUID (RFC 9562) from a text: the same text, the same UUID. */
export function seededUuid(text: string): string {
  const bytes = hash('sha256', text, 'buffer').subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return hexUuid(bytes.toString('hex'));
}
