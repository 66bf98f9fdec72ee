import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { hashText, ioError } from '@plinth/host';
import { decodeUtf8, parseBoundedJson, readBoundedBytes } from '../documents/read-file.ts';
import { feedInvalid } from './adapters/adapter.ts';

/** A feed as it lies on disk: one document, or a folder of records. */
export interface FeedDocuments {
  readonly documents: readonly unknown[];
  /** Of the bytes; of a folder: of its files' digests in the order of their names. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** When the newest of the files was written, ISO 8601. */
  readonly writtenAt: string;
}

const FILE_LIMIT_BYTES = 400 * 1024 * 1024;
const FOLDER_LIMIT_BYTES = 1024 * 1024 * 1024;
const RECORD_LIMIT_BYTES = 8 * 1024 * 1024;
const RECORDS_LIMIT = 500_000;

/**
 * readFeedDocuments reads JSON, one JSON record a line, CSV, any of them gzipped, or a folder of .json files. Sizes
 * are bounded before and after decompression; links are not followed out of a folder, as only regular files count.
 * @throws advisory/feed-invalid, host/io
 */
export async function readFeedDocuments(path: string): Promise<FeedDocuments> {
  const facts = await stat(path).catch((reason: unknown) => {
    throw ioError(reason, `read the feed ${path}`);
  });
  if (facts.isDirectory()) return await readFolder(path);
  const bytes = await readBoundedBytes(path, FILE_LIMIT_BYTES, 'advisory/feed-invalid');
  const text = decodeUtf8(await unpack(bytes, path), path, 'advisory/feed-invalid');
  return {
    documents: parseDocuments(text, path),
    sha256: hashText(bytes),
    sizeBytes: bytes.length,
    writtenAt: facts.mtime.toISOString(),
  };
}

async function readFolder(path: string): Promise<FeedDocuments> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch((reason: unknown) => {
    throw ioError(reason, `list ${path}`);
  });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (files.length > RECORDS_LIMIT) throw feedInvalid(path, `it has ${files.length} files`);
  const documents: unknown[] = [];
  const digests: string[] = [];
  let sizeBytes = 0;
  let writtenMs = 0;
  for (const file of files) {
    const bytes = await readBoundedBytes(file, RECORD_LIMIT_BYTES, 'advisory/feed-invalid');
    sizeBytes += bytes.length;
    if (sizeBytes > FOLDER_LIMIT_BYTES)
      throw feedInvalid(path, `it has more than ${FOLDER_LIMIT_BYTES} bytes`);
    digests.push(hashText(bytes));
    writtenMs = Math.max(writtenMs, (await stat(file)).mtimeMs);
    documents.push(
      parseBoundedJson(decodeUtf8(bytes, file, 'advisory/feed-invalid'), file, 'advisory/feed-invalid'),
    );
  }
  return {
    documents,
    sha256: hashText(digests.join('\n')),
    sizeBytes,
    writtenAt: new Date(writtenMs).toISOString(),
  };
}

async function unpack(bytes: Buffer, path: string): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return await promisify(gunzip)(bytes, { maxOutputLength: FILE_LIMIT_BYTES }).catch((reason: unknown) => {
    const state = `it is no whole gzip of at most ${FILE_LIMIT_BYTES} bytes`;
    throw new PlinthError('advisory/feed-invalid', `Cannot read ${path}: ${state}, expected one`, {
      cause: reason,
    });
  });
}

function parseDocuments(text: string, path: string): unknown[] {
  if (text.startsWith('#model_version:')) return [text];
  // One record a line, or one document over many lines.
  const first = text.slice(0, text.indexOf('\n') >>> 0).trimEnd();
  if (first.startsWith('{') && first.endsWith('}') && text.trimEnd().length > first.length) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length > RECORDS_LIMIT) throw feedInvalid(path, `it has ${lines.length} records`);
    return lines.map((line) => parseBoundedJson(line, path, 'advisory/feed-invalid'));
  }
  const document = parseBoundedJson(text, path, 'advisory/feed-invalid');
  return Array.isArray(document) ? document : [document];
}
