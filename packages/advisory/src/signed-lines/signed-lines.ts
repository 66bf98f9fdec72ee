import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists, hashText, ioError, withLock } from '@plinth/host';
import { type Certificate, parseDsse, type Signer, signDsse, verifyDsse } from '@plinth/trust';
import type { z } from 'zod';
import { readBounded } from '../documents/read-file.ts';

/** What a file of signed lines says, and what in it was not believed. */
export interface SignedLines<T> {
  /** In the order of the file. */
  readonly values: readonly T[];
  /** One sentence for each kind of line that was left out, and one where lines are missing; empty when all is well. */
  readonly problems: readonly string[];
  /** SHA-256 of each believed line in the order of the file: whoever kept one can tell that it is still there. */
  readonly digests: readonly string[];
}

const FILE_LIMIT_BYTES = 128 * 1024 * 1024;
/** Key beside the value's own in what is signed: the digest of the line before, empty for the first. */
const PREVIOUS = 'previous';

/**
 * readSignedLines reads a file that has a DSSE envelope in each line, each with the digest of the one before. Lines without a
 * signature by a trusted key, and those of another form, are left out and told; so is a line whose forerunner is not there:
 * lines were changed, taken out or put in between. Lines cut off at the end are told only by who kept a later digest.
 * A file that is not there has no lines.
 * @throws advisory/subject-invalid, host/io
 */
export async function readSignedLines<T>(
  path: string,
  payloadType: string,
  schema: z.ZodType<T>,
  trusted: readonly Certificate[],
): Promise<SignedLines<T>> {
  if (!(await exists(path))) return { values: [], problems: [], digests: [] };
  const values: T[] = [];
  const digests: string[] = [];
  let [cut, unsigned, strange, torn] = [0, 0, 0, 0];
  let before = '';
  for (const line of (await readBounded(path, FILE_LIMIT_BYTES)).text.split('\n')) {
    if (line.trim() === '') continue;
    const envelope = parseDsse(line);
    if (!envelope || envelope.payloadType !== payloadType) {
      cut++;
      continue;
    }
    if (verifyDsse(envelope, trusted).verdict !== 'pass') {
      unsigned++;
      continue;
    }
    const { previous, ...value } = objectOf(envelope.payload);
    if (previous !== before) torn++;
    before = hashText(line);
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      values.push(parsed.data);
      digests.push(before);
    } else strange++;
  }
  const lines = (count: number, one: string, many: string) =>
    count === 1 ? `1 line ${one}` : `${count} lines ${many}`;
  return {
    values,
    digests,
    problems: [
      ...(cut === 0
        ? []
        : [
            `${path}: ${lines(cut, 'is no signed line, or was cut off', 'are no signed lines, or were cut off')}`,
          ]),
      ...(unsigned === 0
        ? []
        : [
            `${path}: ${lines(unsigned, 'has no signature by a trusted release key', 'have no signature by a trusted release key')}`,
          ]),
      ...(strange === 0 ? [] : [`${path}: ${lines(strange, 'is of another form', 'are of another form')}`]),
      ...(torn === 0
        ? []
        : [
            `${path}: ${lines(torn, 'does', 'do')} not follow the line before: lines were changed, taken out or put in`,
          ]),
    ],
  };
}

/**
 * appendSignedLine signs a value together with the digest of the last line, and adds it as the last one, in one write.
 * @throws advisory/subject-invalid, trust/signing-failed, host/io, host/disk-full
 */
export async function appendSignedLine(
  path: string,
  payloadType: string,
  value: object,
  signer: Signer,
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (reason) {
    throw ioError(reason, `make ${dirname(path)}`);
  }
  await withLock(`${path}.lock`, `write ${path}`, async () => {
    const payload = JSON.stringify({ ...value, [PREVIOUS]: await lastDigest(path, payloadType) });
    const line = JSON.stringify(await signDsse(signer, payloadType, new TextEncoder().encode(payload)));
    try {
      // The newline before keeps a line that was cut off apart.
      await appendFile(path, `\n${line}\n`, { flush: true });
    } catch (reason) {
      throw ioError(reason, `write ${path}`);
    }
  });
}

/** Of the last whole line: one that a crash cut off is no part of the chain. Whether it is signed is for readers. */
async function lastDigest(path: string, payloadType: string): Promise<string> {
  if (!(await exists(path))) return '';
  const { text } = await readBounded(path, FILE_LIMIT_BYTES);
  const last = text.split('\n').findLast((line) => parseDsse(line)?.payloadType === payloadType);
  return last === undefined ? '' : hashText(last);
}

function objectOf(base64: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // Signed and yet no JSON: the schema refuses it.
    return {};
  }
}
