import { PlinthError } from '@plinth/base';
import { alignUp, concatBytes, encodeText } from '../bytes.ts';

/** Something an initrd can hold. Paths are relative, with "/" between names: "usr/lib/systemd/systemd". */
export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

export interface CpioOptions {
  /** Modification time of every entry, seconds since 1970. */
  readonly mtimeSeconds: number;
}

export const CPIO_MAGIC = '070701';
export const CPIO_TRAILER = 'TRAILER!!!';
const fileTypeBits = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;
const FIELD_LIMIT = 0xffff_ffff;
const ARCHIVE_STEP_BYTES = 512;

/**
 * writeCpio makes a "newc" archive as the kernel unpacks it (kernel documentation, "initramfs buffer format").
 * The same entries always give the same bytes: sorted by path, owned by 0:0, numbered from 1, one time for all.
 * Folders on the way to an entry are added with mode 0755. Ends on a multiple of 512 bytes, so that archives can
 * be put one after another.
 * @throws formats/cpio-invalid for an unclean or doubled path, or a file above 4 GiB
 */
export function writeCpio(entries: readonly CpioEntry[], options: CpioOptions): Uint8Array {
  const complete = new Map(entries.map((entry) => [checkedPath(entry.path), entry]));
  if (complete.size !== entries.length)
    throw refuse('archive', 'two entries have one path', 'each path once');
  for (const { path } of entries) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const present = complete.get(parent);
      if (present && present.kind !== 'directory')
        throw refuse(path, `${parent} is a ${present.kind}`, 'a directory');
      if (!present) complete.set(parent, { kind: 'directory', path: parent, mode: 0o755 });
    }
  }
  // A parent sorts before what is in it: its path is a prefix.
  const sorted = [...complete.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  const parts = sorted.flatMap((entry, index) => entryParts(entry, index + 1, options.mtimeSeconds));
  parts.push(
    ...memberParts(CPIO_TRAILER, new Uint8Array(), { inode: 0, mode: 0, links: 1, mtimeSeconds: 0 }),
  );
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  return concatBytes([...parts, padding(sizeBytes, ARCHIVE_STEP_BYTES)]);
}

function entryParts(entry: CpioEntry, inode: number, mtimeSeconds: number): Uint8Array[] {
  const permissions = entry.kind === 'symlink' ? 0o777 : entry.mode & 0o7777;
  return memberParts(entry.path, contentOf(entry), {
    inode,
    mode: fileTypeBits[entry.kind] | permissions,
    links: entry.kind === 'directory' ? 2 : 1,
    mtimeSeconds,
  });
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.data;
  return entry.kind === 'symlink' ? encodeText(entry.target) : new Uint8Array();
}

interface MemberHeader {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly mtimeSeconds: number;
}

function memberParts(path: string, data: Uint8Array, header: MemberHeader): Uint8Array[] {
  const name = encodeText(`${path}\0`);
  if (data.length > FIELD_LIMIT) throw refuse(path, `${data.length} bytes`, 'less than 4 GiB');
  const { inode, mode, links, mtimeSeconds } = header;
  const fields = [inode, mode, 0, 0, links, mtimeSeconds, data.length, 0, 0, 0, 0, name.length, 0];
  const head = encodeText(CPIO_MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return [head, name, padding(head.length + name.length, 4), data, padding(data.length, 4)];
}

function padding(sizeBytes: number, step: number): Uint8Array {
  return new Uint8Array(alignUp(sizeBytes, step) - sizeBytes);
}

function checkedPath(path: string): string {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..') || path.includes('\0')) {
    throw refuse(JSON.stringify(path), 'an unclean path', 'names with single slashes between them');
  }
  return path;
}

function refuse(what: string, state: string, expected: string): PlinthError {
  return new PlinthError(
    'formats/cpio-invalid',
    `Cannot write cpio entry ${what}: ${state}, expected ${expected}`,
  );
}
