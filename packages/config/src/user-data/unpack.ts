import { gunzipSync } from 'node:zlib';
import { LIMITS } from '../parse/limits.ts';

/** What all of one user data may grow to while it is unpacked; each piece takes its share. */
export interface Room {
  leftBytes: number;
}

/** openRoom gives the room for one user data: as much as a config may have. */
export function openRoom(): Room {
  return { leftBytes: LIMITS.bytes };
}

/** Bytes, or what is wrong with them for people. */
export type Unpacked =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly code: 'config/invalid' | 'config/too-large'; readonly state: string };

/** isGzip tells whether bytes begin as gzip does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** inflate unpacks gzip; it stops at the room that is left, whatever the bytes say of themselves. */
export function inflate(bytes: Uint8Array, room: Room): Unpacked {
  const tooLarge = {
    ok: false,
    code: 'config/too-large',
    state: `more than ${LIMITS.bytes} bytes when unpacked, expected at most as many`,
  } as const;
  if (room.leftBytes <= 0) return tooLarge;
  try {
    // With `info` the answer tells how much was read: what follows the end of gzip would be passed over.
    const { buffer, engine } = gunzipSync(bytes, {
      info: true,
      maxOutputLength: room.leftBytes,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    if (engine.bytesWritten !== bytes.length) return invalid('bytes after the end of gzip, expected none');
    room.leftBytes -= buffer.length;
    return { ok: true, bytes: buffer };
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ERR_BUFFER_TOO_LARGE') {
      room.leftBytes = 0;
      return tooLarge;
    }
    return invalid('gzip that is damaged or cut off, expected all of it');
  }
}

/** decodeBase64 reads base64 (RFC 4648) with white space anywhere, and nothing else beside it. */
export function decodeBase64(text: string): Unpacked {
  const packed = text.replaceAll(/[ \t\r\n]/g, '');
  const padded = packed.length % 4 === 0 || !packed.includes('=');
  if (!padded || packed.length % 4 === 1 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed))
    return invalid('text that is no base64, expected letters, digits, "+", "/" and "=" at its end');
  return { ok: true, bytes: Buffer.from(packed, 'base64') };
}

/** invalid is an answer that says what is wrong. */
export function invalid(state: string): Unpacked & { ok: false } {
  return { ok: false, code: 'config/invalid', state };
}
