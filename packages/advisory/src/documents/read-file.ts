import { open } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { hashText, ioError } from '@plinth/host';
import { overLimit } from './over-limit.ts';

/** A document, whole, with its digest. */
export interface BoundedText {
  readonly text: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Largest document that is read as one text: an SBOM of a large image measures 30 MB. */
const DOCUMENT_LIMIT_BYTES = 256 * 1024 * 1024;

/** What is said of a document that cannot be used, by what it was to be. */
type InvalidCode =
  | 'advisory/subject-invalid'
  | 'advisory/feed-invalid'
  | 'advisory/statements-invalid'
  | 'advisory/policy-invalid';

/** Deepest nesting of JSON that is accepted; SBOM, CSAF, OSV and NVD stay below 20. */
const DEPTH_LIMIT = 64;

/**
 * readBounded reads a text file whose size has a limit before anything of it is held, and which must be UTF-8.
 * @throws the code given, host/io
 */
export async function readBounded(
  path: string,
  limitBytes: number = DOCUMENT_LIMIT_BYTES,
  code: InvalidCode = 'advisory/subject-invalid',
): Promise<BoundedText> {
  const bytes = await readBoundedBytes(path, limitBytes, code);
  return { text: decodeUtf8(bytes, path, code), sha256: hashText(bytes), sizeBytes: bytes.length };
}

/** decodeUtf8 gives the text of bytes that must be UTF-8. @throws the code given */
export function decodeUtf8(bytes: Uint8Array, path: string, code: InvalidCode): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (reason) {
    throw invalid(path, 'it is not UTF-8', 'text', reason, code);
  }
}

/** readBoundedBytes reads a regular file up to a limit. @throws the code given, host/io */
export async function readBoundedBytes(
  path: string,
  limitBytes: number,
  code: InvalidCode = 'advisory/subject-invalid',
): Promise<Buffer> {
  const file = await open(path, 'r').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw invalid(path, 'it is no regular file', 'one', undefined, code);
    if (facts.size > limitBytes)
      throw invalid(path, `it has ${facts.size} bytes`, `at most ${limitBytes}`, undefined, code);
    return await file.readFile();
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  } finally {
    await file.close();
  }
}

/**
 * parseBoundedJson parses JSON after its nesting was measured, so that no document can exhaust the stack of whoever
 * walks it later.
 * @param code what to report
 */
export function parseBoundedJson(
  text: string,
  path: string,
  code: InvalidCode = 'advisory/subject-invalid',
): unknown {
  if (overLimit(text, { depth: DEPTH_LIMIT })) {
    throw invalid(path, `it is nested deeper than ${DEPTH_LIMIT}`, 'at most that', undefined, code);
  }
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw invalid(path, 'it is no whole JSON document', 'one', reason, code);
  }
}

function invalid(
  path: string,
  state: string,
  expected: string,
  cause?: unknown,
  code: InvalidCode = 'advisory/subject-invalid',
): PlinthError {
  return new PlinthError(code, `Cannot read ${path}: ${state}, expected ${expected}`, { cause });
}
