import { PlinthError } from '@plinth/base';
import { alignUp, concatBytes, encodeText } from '../bytes.ts';

/** Something an archive can hold. Paths are relative, with "/" between names: "usr/bin/x". */
export type TarEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

export interface TarOptions {
  /** Modification time of every entry, seconds since 1970. */
  readonly mtimeSeconds: number;
}

const BLOCK_BYTES = 512;
/** Field sizes of the ustar header (POSIX.1-2017, pax, "ustar Interchange Format"). */
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const SIZE_LIMIT_BYTES = 8 ** 11 - 1;
const TYPE = { file: '0', symlink: '2', directory: '5' } as const;

/**
 * writeTar makes an archive in the ustar format, which every reader of container images knows.
 * The same entries always give the same bytes: sorted by path, owned by 0:0, one time for all.
 * @throws formats/tar-invalid for an unclean, doubled or overlong path, or a file above 8 GiB
 */
export function writeTar(entries: readonly TarEntry[], options: TarOptions): Uint8Array {
  const sorted = [...entries].sort((left, right) => (left.path < right.path ? -1 : 1));
  sorted.forEach(({ path }, index) => {
    if (path === sorted[index - 1]?.path) throw refuse(path, 'it comes twice', 'each path once');
  });
  const parts = sorted.flatMap((entry) => {
    const data = entry.kind === 'file' ? entry.data : new Uint8Array();
    return [header(entry, data.length, options.mtimeSeconds), data, padding(data.length)];
  });
  // Two blocks of zeros end an archive.
  return concatBytes([...parts, new Uint8Array(2 * BLOCK_BYTES)]);
}

function header(entry: TarEntry, sizeBytes: number, mtimeSeconds: number): Uint8Array {
  if (sizeBytes > SIZE_LIMIT_BYTES) throw refuse(entry.path, `${sizeBytes} bytes`, 'at most 8 GiB');
  const { name, prefix } = splitPath(entry);
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (text: string, offset: number) => block.set(encodeText(text), offset);
  const mode = entry.kind === 'symlink' ? 0o777 : entry.mode & 0o7777;
  put(name, 0);
  put(octal(mode, 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(sizeBytes, 12), 124);
  put(octal(mtimeSeconds, 12), 136);
  put(TYPE[entry.kind], 156);
  if (entry.kind === 'symlink') put(checkedTarget(entry.path, entry.target), 157);
  put('ustar\0', 257);
  put('00', 263);
  put(octal(0, 8), 329);
  put(octal(0, 8), 337);
  put(prefix, 345);
  // The sum is taken with its own field full of spaces, and written as six digits, NUL, space.
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A path of more than 100 bytes is split at a slash; the part before it goes into the prefix. */
function splitPath(entry: TarEntry): { name: string; prefix: string } {
  const path = checkedPath(entry.path) + (entry.kind === 'directory' ? '/' : '');
  if (byteLength(path) <= NAME_BYTES) return { name: path, prefix: '' };
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const name = path.slice(slash + 1);
    const prefix = path.slice(0, slash);
    if (name !== '' && byteLength(name) <= NAME_BYTES && byteLength(prefix) <= PREFIX_BYTES)
      return { name, prefix };
  }
  throw refuse(entry.path, 'it is too long', 'at most 100 bytes after a slash within the first 155');
}

function checkedPath(path: string): string {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..') || path.includes('\0'))
    throw refuse(JSON.stringify(path), 'an unclean path', 'names with single slashes between them');
  return path;
}

function checkedTarget(path: string, target: string): string {
  if (target !== '' && !target.includes('\0') && byteLength(target) <= NAME_BYTES) return target;
  throw refuse(path, 'its target is empty or too long', 'at most 100 bytes');
}

function octal(value: number, fieldBytes: number): string {
  return `${value.toString(8).padStart(fieldBytes - 1, '0')}\0`;
}

function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array(alignUp(sizeBytes, BLOCK_BYTES) - sizeBytes);
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

function refuse(what: string, state: string, expected: string): PlinthError {
  return new PlinthError(
    'formats/tar-invalid',
    `Cannot write tar entry ${what}: ${state}, expected ${expected}`,
  );
}
