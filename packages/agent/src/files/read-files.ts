import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { errorCode, hasCode } from '../sys/sys.ts';
import { isPlainPath, isReadable, READABLE } from './allow-list.ts';

/** One name in a folder. */
export interface ListedFile {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  readonly mode: number;
  readonly modifiedAtMs: number;
  /** Where a link leads, as it is written in it. */
  readonly target: string;
}

/** One piece of a file. */
export interface FilePiece {
  /** In the first piece; 0 when it is not known before the end. */
  readonly sizeBytes: number;
  readonly bytes: Buffer;
  readonly last: boolean;
}

export interface ReadFileOptions {
  /** Default: the list of the node. */
  readonly places?: readonly string[];
}

/** Some copies of a piece are in memory for each reader that is slow, and there may be dozens of readers. */
const PIECE_BYTES = 256 * 1024;
const ENTRIES_LIMIT = 2_000;
/** A file of the kernel that tells something anew each time it is read may have no end. */
const ENDLESS_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * listFiles tells what a folder holds, without what may not be read; without a path, the places.
 * @throws files/not-allowed, files/missing, files/unreadable
 */
export async function listFiles(
  path: string,
  { places = READABLE }: ReadFileOptions = {},
): Promise<{ readonly entries: readonly ListedFile[]; readonly cut: boolean }> {
  if (path === '') {
    const there = await Promise.all(places.map((place) => look(place, place)));
    return { entries: there.filter((entry) => entry !== undefined), cut: false };
  }
  try {
    const folder = await resolve(path, places);
    const names = (await readdir(folder)).sort();
    const readable = names.filter((name) => isReadable(join(folder, name), places));
    const shown = readable.slice(0, ENTRIES_LIMIT);
    const entries = await Promise.all(shown.map((name) => look(join(folder, name), name)));
    return {
      entries: entries.filter((entry) => entry !== undefined),
      cut: readable.length > shown.length,
    };
  } catch (reason) {
    throw failure(path, reason, 'a folder');
  }
}

/**
 * readFilePieces gives a file in pieces of at most 256 KiB, as far as it went when it was opened: a log that grows ends.
 * The path is resolved first and looked at again once it is open, so no link that is changed meanwhile leads elsewhere;
 * nothing but plain files is opened, for opening a device can do something.
 * @throws files/not-allowed, files/missing, files/unreadable
 */
export async function* readFilePieces(
  path: string,
  { places = READABLE }: ReadFileOptions = {},
): AsyncGenerator<FilePiece> {
  let file: FileHandle | undefined;
  try {
    file = await openChecked(path, places);
    const { size } = await file.stat();
    // Files of the kernel say 0, or a page, and give what they give.
    const ofKernel = /^\/(?:proc|sys)\//.test(path) || size === 0;
    const limitBytes = ofKernel ? ENDLESS_LIMIT_BYTES : size;
    let sentBytes = 0;
    for (;;) {
      const wanted = Math.min(PIECE_BYTES, limitBytes - sentBytes);
      const bytes = wanted > 0 ? await readUpTo(file, wanted, sentBytes) : Buffer.alloc(0);
      const last = bytes.length < wanted || sentBytes + bytes.length >= limitBytes;
      yield { sizeBytes: sentBytes === 0 && !ofKernel ? size : 0, bytes, last };
      if (last) return;
      sentBytes += bytes.length;
    }
  } catch (reason) {
    throw failure(path, reason, 'a file');
  } finally {
    await file?.close();
  }
}

async function readUpTo(file: FileHandle, sizeBytes: number, offsetBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  while (at < sizeBytes) {
    const { bytesRead } = await file.read(buffer, at, sizeBytes - at, offsetBytes + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}

async function openChecked(path: string, places: readonly string[]): Promise<FileHandle> {
  const real = await resolve(path, places);
  if (!(await lstat(real)).isFile()) throw refused(path, 'it is no plain file');
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  const file = await open(real, flags);
  try {
    const opened = await readlink(`/proc/self/fd/${file.fd}`);
    if (!isReadable(opened, places) || !(await file.stat()).isFile())
      throw refused(path, 'it was replaced while it was opened');
    return file;
  } catch (reason) {
    await file.close();
    throw reason;
  }
}

/** Gives the path without links. What is not on the list is refused before the file system is asked about it. */
async function resolve(path: string, places: readonly string[]): Promise<string> {
  if (!isPlainPath(path)) throw refused(path, 'the path is not absolute and plain');
  if (!isReadable(path, places)) throw refused(path, 'it is not on the list');
  const real = await realpath(path);
  if (!isReadable(real, places)) throw refused(path, 'a link in it leads out of the list');
  return real;
}

async function look(path: string, name: string): Promise<ListedFile | undefined> {
  try {
    const found = await lstat(path);
    const kind = found.isFile()
      ? 'file'
      : found.isDirectory()
        ? 'folder'
        : found.isSymbolicLink()
          ? 'link'
          : 'other';
    return {
      ...{ name, kind, sizeBytes: found.size, mode: found.mode & 0o7777, modifiedAtMs: found.mtimeMs },
      target: kind === 'link' ? await readlink(path) : '',
    };
  } catch {
    return undefined; // gone since its name was read
  }
}

function refused(path: string, state: string): PlinthError {
  return new PlinthError(
    'files/not-allowed',
    `Cannot read ${path.slice(0, 200)}: ${state}, expected a readable place`,
  );
}

function failure(path: string, reason: unknown, expected: string): PlinthError {
  if (reason instanceof PlinthError) return reason;
  if (hasCode(reason, 'ENOENT'))
    return new PlinthError('files/missing', `Cannot read ${path}: nothing is there, expected ${expected}`);
  return new PlinthError(
    'files/unreadable',
    `Cannot read ${path}: ${errorCode(reason) || 'it fails'}, expected ${expected}`,
  );
}
