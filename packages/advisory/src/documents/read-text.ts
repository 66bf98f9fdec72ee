import { PlinthError } from '@plinth/base';

/** Bounds on a document from outside, all checked before anything is made of it. */
export interface DocumentLimits {
  readonly bytes: number;
  readonly depth: number;
  /** Values of a JSON document, or elements and attributes of an XML one. */
  readonly nodes: number;
}

/** Enough for a month of kernel advisories, too little to fill the memory of a small machine. */
export const documentLimits: DocumentLimits = { bytes: 64 * 1024 * 1024, depth: 64, nodes: 2_000_000 };

/** refuse is the one error of all readers here; `state` says what is wrong, `expected` what would do. */
export function refuse(name: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/document-refused', `Cannot read ${name}: ${state}, expected ${expected}`);
}

/**
 * decodeText turns bytes into text: UTF-8 without errors, at most `limits.bytes`, no byte order mark, no NUL.
 * @param name what the document is called in errors
 * @throws advisory/document-refused
 */
export function decodeText(bytes: Uint8Array, name: string, limits = documentLimits): string {
  if (bytes.length > limits.bytes)
    throw refuse(name, `it has ${bytes.length} bytes`, `at most ${limits.bytes}`);
  // A compressed document is not unpacked here: a small file must not become a large one.
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw refuse(name, 'it is compressed', 'plain text');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw refuse(name, 'it is not UTF-8', 'text in UTF-8');
  }
  if (text.includes('\0')) throw refuse(name, 'it has a NUL character', 'plain text');
  return text;
}
