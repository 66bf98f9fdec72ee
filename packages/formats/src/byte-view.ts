import { type ErrorCode, PlinthError } from '@plinth/base';

export interface ByteViewOptions {
  /** What the bytes are, in words, for messages: "ELF file usr/bin/ctr". */
  readonly what: string;
  readonly bigEndian?: boolean;
}

/**
 * ByteView reads numbers, texts and slices from bytes that came from outside.
 * Each read is checked: one past the end is a coded error, never `undefined`, zero or a shorter slice.
 * @throws formats/truncated from every reading method
 */
export class ByteView {
  readonly bytes: Uint8Array;
  readonly what: string;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, options: ByteViewOptions) {
    // A Buffer's slice() shares memory where a Uint8Array's copies: from here on there are only Uint8Arrays.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.what = options.what;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = options.bigEndian !== true;
  }

  get sizeBytes(): number {
    return this.bytes.byteLength;
  }

  u8(offset: number): number {
    return this.#view.getUint8(this.#checked(offset, 1));
  }

  u16(offset: number): number {
    return this.#view.getUint16(this.#checked(offset, 2), this.#littleEndian);
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#checked(offset, 4), this.#littleEndian);
  }

  /** A 64-bit value as a number; one above 2^53 cannot be an offset or a size of anything real and is refused. */
  u64(offset: number): number {
    const value = this.u64Clamped(offset);
    if (value < Number.MAX_SAFE_INTEGER) return value;
    throw this.#truncated(`a 64-bit value at byte ${offset} is above 2^53`);
  }

  /** As u64, but whatever is above 2^53 reads as Number.MAX_SAFE_INTEGER; for values that are only compared. */
  u64Clamped(offset: number): number {
    const value = this.#view.getBigUint64(this.#checked(offset, 8), this.#littleEndian);
    return value < Number.MAX_SAFE_INTEGER ? Number(value) : Number.MAX_SAFE_INTEGER;
  }

  slice(offset: number, lengthBytes: number): Uint8Array {
    const start = this.#checked(offset, lengthBytes);
    return this.bytes.subarray(start, start + lengthBytes);
  }

  /** A NUL-terminated text; `limitBytes` bounds the search for its end. */
  cString(offset: number, limitBytes = 4096): string {
    this.#checked(offset, 1);
    const end = this.bytes.subarray(0, offset + limitBytes).indexOf(0, offset);
    if (end >= 0) return decodeText(this.bytes.subarray(offset, end));
    throw this.#truncated(`a text at byte ${offset} has no end within ${limitBytes} bytes`);
  }

  /** An error of the format's own code; `state` reads "<state>, expected <state>". */
  fault(code: ErrorCode, state: string): PlinthError {
    return new PlinthError(code, `Cannot read ${this.what}: ${state}`);
  }

  #checked(offset: number, lengthBytes: number): number {
    const sound = Number.isSafeInteger(offset) && offset >= 0 && lengthBytes >= 0;
    if (sound && offset + lengthBytes <= this.sizeBytes) return offset;
    throw this.#truncated(`${lengthBytes} bytes at byte ${offset} lie outside its ${this.sizeBytes} bytes`);
  }

  #truncated(state: string): PlinthError {
    return this.fault('formats/truncated', `${state}, expected it to lie inside`);
  }
}

const textDecoder = new TextDecoder();

/** decodeText reads UTF-8; bytes that are not UTF-8 become U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return textDecoder.decode(bytes);
}
