import { open } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { hashText, ioError } from '@plinth/host';
import type { z } from 'zod';

/** A document, whole, with its digest. */
export interface BoundedText {
  readonly text: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Largest document that is read as one text: an SBOM of a large image measures 30 MB. */
export const DOCUMENT_LIMIT_BYTES = 256 * 1024 * 1024;

/** What is said of a document that cannot be used, by what it was to be. */
export type InvalidCode =
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
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, sha256: hashText(bytes), sizeBytes: bytes.length };
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
  if (nestingExceeds(text, DEPTH_LIMIT)) {
    throw invalid(path, `it is nested deeper than ${DEPTH_LIMIT}`, 'at most that', undefined, code);
  }
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw invalid(path, 'it is no whole JSON document', 'one', reason, code);
  }
}

/**
 * parseBill checks a parsed bill of materials against its format.
 * @throws advisory/subject-invalid
 */
export function parseBill<T>(schema: z.ZodType<T>, document: unknown, path: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const state = `${issue?.path.join('.') || 'it'} is not as the format says (${issue?.message ?? 'invalid'})`;
  throw invalid(path, state, 'SPDX 2.3 or CycloneDX 1.3 to 1.7');
}

/** Counts brackets outside strings; a character loop over 30 MB takes 0.1 s. */
function nestingExceeds(text: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at);
    } else if (character === OPEN_BRACE || character === OPEN_BRACKET) {
      if (++depth > limit) return true;
    } else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) depth--;
  }
  return false;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
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
