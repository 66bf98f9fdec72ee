import { parseParagraphs } from './deb822.ts';
import type { ArchiveName } from './mirrors.ts';

/** A binary package as an index describes it; dependency fields stay text until somebody asks. */
export interface BinaryPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly multiArch: string;
  readonly source: string;
  readonly sourceVersion: string;
  readonly priority: string;
  readonly preDepends: string;
  readonly depends: string;
  readonly provides: string;
  readonly conflicts: string;
  readonly breaks: string;
  readonly builtUsing: string;
  readonly staticBuiltUsing: string;
  readonly archive: ArchiveName;
  readonly suite: string;
  /** Path below the archive's base address. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A verified index: where it came from and what it offers. */
export interface ArchiveIndex {
  readonly archive: ArchiveName;
  readonly suite: string;
  readonly component: string;
  readonly date: Date;
  readonly validUntil?: Date;
  /** Packages of this suite are taken only when asked for by name, or when no other suite has them. */
  readonly notAutomatic: boolean;
  readonly inReleaseSha256: string;
  /** Digest of the uncompressed Packages file. */
  readonly packagesSha256: string;
  readonly packages: readonly BinaryPackage[];
}

const FIELDS = new Set(
  (
    'package version architecture multi-arch source priority pre-depends depends provides conflicts breaks ' +
    'built-using static-built-using filename size sha256'
  ).split(' '),
);

/**
 * parsePackages reads a Packages file. A paragraph that lacks what a lock needs, or whose path would leave the
 * archive, is left out: it can then not be chosen.
 */
export function parsePackages(text: string, archive: ArchiveName, suite: string): BinaryPackage[] {
  const packages: BinaryPackage[] = [];
  for (const fields of parseParagraphs(text, FIELDS)) {
    const field = (name: string) => fields.get(name) ?? '';
    const name = field('package');
    const version = field('version');
    const path = field('filename').replace(/^\.\//, '');
    const sha256 = field('sha256');
    if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name) || !/^[0-9][A-Za-z0-9.+:~-]*$/.test(version)) continue;
    if (!/^[0-9a-f]{64}$/.test(sha256) || !/^\d{1,12}$/.test(field('size')) || !isInside(path)) continue;
    const [, source = name, sourceVersion = version] = /^(\S+)(?:\s+\((.+)\))?$/.exec(field('source')) ?? [];
    packages.push({
      name,
      version,
      architecture: field('architecture'),
      multiArch: field('multi-arch') || 'no',
      source,
      sourceVersion,
      priority: field('priority'),
      preDepends: field('pre-depends'),
      depends: field('depends'),
      provides: field('provides'),
      conflicts: field('conflicts'),
      breaks: field('breaks'),
      builtUsing: field('built-using'),
      staticBuiltUsing: field('static-built-using'),
      archive,
      suite,
      path,
      sizeBytes: Number(field('size')),
      sha256,
    });
  }
  return packages;
}

/** A relative path of plain names; it becomes part of an address and of file names. */
function isInside(path: string): boolean {
  return /^[A-Za-z0-9+._~%/-]+\.deb$/.test(path) && !path.startsWith('/') && !path.split('/').includes('..');
}
