import { createReadStream } from 'node:fs';
import { ioError } from '@plinth/host';
import { usageError } from '../framework/usage-error.ts';

/** Descriptions of clusters are the largest; what is larger is another file. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * readInput reads a file, or standard input for "-".
 * @throws cli/usage when it is too large; host/io
 */
export function readInput(path: string): Promise<string> {
  return path === '-'
    ? textOf(process.stdin, 'standard input', LIMIT_BYTES)
    : readTextFile(path, LIMIT_BYTES);
}

/** readTextFile reads a file up to a limit. @throws cli/usage when it is too large; host/io */
export function readTextFile(path: string, limitBytes: number): Promise<string> {
  return textOf(createReadStream(path), path, limitBytes);
}

async function textOf(stream: AsyncIterable<Buffer>, name: string, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of stream) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) break;
      chunks.push(chunk);
    }
  } catch (reason) {
    throw ioError(reason, `read ${name}`);
  }
  if (sizeBytes > limitBytes)
    throw usageError(`${name} has more than ${limitBytes} bytes, expected at most that`);
  return Buffer.concat(chunks).toString('utf8');
}
