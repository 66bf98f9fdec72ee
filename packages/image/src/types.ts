/** What lies at a path of the tree. Anything but the first three has no place in an image. */
export type EntryKind = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

/** One path of the tree that becomes the root image. */
export interface TreeEntry {
  /** Absolute inside the tree: "/usr/bin/x". */
  readonly path: string;
  readonly kind: EntryKind;
  /** Permission bits with setuid, setgid and sticky: 0o7777 at most. */
  readonly mode: number;
  /** Content length of a file; 0 for everything else. */
  readonly sizeBytes: number;
  /** Where a symlink points, as written. */
  readonly target?: string;
  /** The package the path came from, or "plinth" for what the builder made. */
  readonly owner: string;
  /** Content digests of a file, lower-case hex; absent until asked for with `hashTree`. */
  readonly sha256?: string;
  /** SPDX identifies files by SHA-1 beside SHA-256 (SPDX 2.3, clause 8.4). */
  readonly sha1?: string;
}

/** The tree as built: everything is root:root in the image, whoever owns it on disk while it is built. */
export interface BuiltTree {
  /** Holds the tree on disk. */
  readonly rootDir: string;
  /** Sorted by path, bytewise; the root itself is not among them. */
  readonly entries: readonly TreeEntry[];
}
