import { ByteView } from '@plinth/formats';

/** The largest TPM2B that is accepted; a TPM's own buffers end at 4 KiB. */
const SIZED_LIMIT_BYTES = 4096;

/**
 * TpmReader reads TPM 2.0 structures (part 2) one field after the other: numbers are big-endian, and a TPM2B has its
 * length before it.
 * @throws formats/truncated, attest/structure-invalid from every reading method
 */
export class TpmReader {
  readonly #view: ByteView;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#view = new ByteView(bytes, { what, bigEndian: true });
  }

  u8(): number {
    return this.#view.u8(this.#advance(1));
  }

  u16(): number {
    return this.#view.u16(this.#advance(2));
  }

  u32(): number {
    return this.#view.u32(this.#advance(4));
  }

  /** Above 2^53 it reads as Number.MAX_SAFE_INTEGER. */
  u64(): number {
    return this.#view.u64Clamped(this.#advance(8));
  }

  take(lengthBytes: number): Uint8Array {
    return this.#view.slice(this.#advance(lengthBytes), lengthBytes);
  }

  /** A TPM2B: two bytes of length, then so many bytes. */
  sized(): Uint8Array {
    const lengthBytes = this.u16();
    if (lengthBytes > SIZED_LIMIT_BYTES) {
      throw this.fault(`a field of ${lengthBytes} bytes, expected at most ${SIZED_LIMIT_BYTES}`);
    }
    return this.take(lengthBytes);
  }

  /** Everything that is left. */
  rest(): Uint8Array {
    return this.take(this.#view.sizeBytes - this.#at);
  }

  /** Everything must have been read: bytes behind a structure have no meaning, and no one signed a meaning for them. */
  end(): void {
    const left = this.#view.sizeBytes - this.#at;
    if (left > 0) throw this.fault(`${left} bytes behind its end, expected none`);
  }

  fault(state: string) {
    return this.#view.fault('attest/structure-invalid', state);
  }

  #advance(lengthBytes: number): number {
    const at = this.#at;
    this.#at += lengthBytes;
    return at;
  }
}
