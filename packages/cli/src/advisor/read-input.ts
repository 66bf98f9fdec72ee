import { createReadStream } from 'node:fs';
import { ioError } from '@plinth/host';
import { usageError } from '../framework/usage-error.ts';

/** Descriptions of clusters are the largest; what is larger is another file. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * readInput reads a file, or standard input for "-".
 * @throws cli/usage when it is too large; host/io
 */
export async function readInput(path: string): Promise<string> {
  const stream = path === '-' ? process.stdin : createReadStream(path);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > LIMIT_BYTES) break;
      chunks.push(chunk);
    }
  } catch (reason) {
    throw ioError(reason, `read ${path === '-' ? 'standard input' : path}`);
  }
  if (sizeBytes > LIMIT_BYTES)
    throw usageError(`${path} has more than ${LIMIT_BYTES} bytes, expected at most that`);
  return Buffer.concat(chunks).toString('utf8');
}
