import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists, ioError, withLock } from '@plinth/host';
import { type Certificate, parseDsse, type Signer, signDsse, verifyDsse } from '@plinth/trust';
import type { z } from 'zod';
import { readBounded } from '../documents/read-file.ts';

/** What a file of signed lines says, and what in it was not believed. */
export interface SignedLines<T> {
  /** In the order of the file. */
  readonly values: readonly T[];
  /** One sentence for each kind of line that was left out; empty when all were believed. */
  readonly problems: readonly string[];
}

const FILE_LIMIT_BYTES = 128 * 1024 * 1024;

/**
 * readSignedLines reads a file that has a DSSE envelope in each line. Lines without a signature by a trusted key, and those
 * of another form, are left out and told. A file that is not there has no lines.
 * @throws advisory/subject-invalid, host/io
 */
export async function readSignedLines<T>(
  path: string,
  payloadType: string,
  schema: z.ZodType<T>,
  trusted: readonly Certificate[],
): Promise<SignedLines<T>> {
  if (!(await exists(path))) return { values: [], problems: [] };
  const values: T[] = [];
  let [cut, unsigned, strange] = [0, 0, 0];
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
    const parsed = schema.safeParse(jsonOf(envelope.payload));
    if (parsed.success) values.push(parsed.data);
    else strange++;
  }
  return {
    values,
    problems: [
      ...(cut === 0 ? [] : [`${path}: ${cut} lines are no signed lines, or were cut off`]),
      ...(unsigned === 0 ? [] : [`${path}: ${unsigned} lines have no signature by a trusted release key`]),
      ...(strange === 0 ? [] : [`${path}: ${strange} lines are of another form`]),
    ],
  };
}

/** appendSignedLine signs a value and adds it as the last line, in one write. @throws trust/signing-failed, host/io, host/disk-full */
export async function appendSignedLine(
  path: string,
  payloadType: string,
  value: object,
  signer: Signer,
): Promise<void> {
  const payload = new TextEncoder().encode(JSON.stringify(value));
  const line = JSON.stringify(await signDsse(signer, payloadType, payload));
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (reason) {
    throw ioError(reason, `make ${dirname(path)}`);
  }
  await withLock(`${path}.lock`, `write ${path}`, async () => {
    try {
      // The newline before keeps a line that was cut off apart.
      await appendFile(path, `\n${line}\n`, { flush: true });
    } catch (reason) {
      throw ioError(reason, `write ${path}`);
    }
  });
}

function jsonOf(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    // Signed and yet no JSON: the schema refuses it.
    return undefined;
  }
}
