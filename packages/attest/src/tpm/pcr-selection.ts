import { concatBytes } from '@plinth/formats';
import { ALG } from './constants.ts';
import type { TpmReader } from './tpm-reader.ts';
import { u8, u16, u32 } from './tpm-writer.ts';

const SELECT_BYTES = 3;

/** encodePcrSelection is a TPML_PCR_SELECTION of registers of the SHA-256 bank. */
export function encodePcrSelection(indices: readonly number[]): Uint8Array {
  const bits = new Uint8Array(SELECT_BYTES);
  for (const index of indices) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return concatBytes([u32(1), u16(ALG.sha256), u8(SELECT_BYTES), bits]);
}

/** readPcrSelection gives the registers of a selection, which must be of the SHA-256 bank alone. @throws attest/structure-invalid */
export function readPcrSelection(reader: TpmReader): readonly number[] {
  const [banks, bank, sizeBytes] = [reader.u32(), reader.u16(), reader.u8()];
  if (banks !== 1 || bank !== ALG.sha256 || sizeBytes > 4) {
    throw reader.fault(`${banks} banks, the first ${bank}, expected the SHA-256 bank alone`);
  }
  const bits = reader.take(sizeBytes);
  return Array.from({ length: sizeBytes * 8 }, (_, index) => index).filter(
    (index) => ((bits[index >> 3] ?? 0) >> (index & 7)) & 1,
  );
}
