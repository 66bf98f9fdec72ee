import { parseParagraphs } from '@plinth/debian';
import type { BinaryComponent } from '../model/index.ts';
import { isPackageName, isPackageVersion, parseBuiltUsing, parseSourceField } from './debian-fields.ts';

const FIELDS = new Set(
  'package version architecture source status built-using static-built-using'.split(' '),
);

export interface DpkgStatus {
  readonly binaries: readonly BinaryComponent[];
  /** Paragraphs that name a package and cannot be read: they must not vanish. */
  readonly unreadable: readonly string[];
}

/**
 * parseStatus reads dpkg's status, or one file of status.d (distroless images); pure. What is removed but for its
 * configuration is left out; half-installed packages are in.
 */
export function parseStatus(text: string, locator: string): DpkgStatus {
  const binaries: BinaryComponent[] = [];
  const unreadable: string[] = [];
  for (const fields of parseParagraphs(text, FIELDS)) {
    const field = (name: string) => fields.get(name) ?? '';
    const [name, version] = [field('package'), field('version')];
    const state = field('status').split(/\s+/)[2];
    if (state === 'not-installed' || state === 'config-files') continue;
    if (!isPackageName(name) || !isPackageVersion(version)) {
      unreadable.push(`${name.slice(0, 80) || 'a paragraph without a name'} ${version.slice(0, 80)}`.trim());
      continue;
    }
    const source = parseSourceField(field('source'), name, version);
    binaries.push({
      name,
      version,
      architecture: field('architecture'),
      source: source.source,
      sourceVersion: source.version,
      builtUsing: parseBuiltUsing(field('built-using')),
      staticBuiltUsing: parseBuiltUsing(field('static-built-using')),
      filesPresent: 'unknown',
      provenance: { source: 'dpkg-status', locator },
    });
  }
  return { binaries, unreadable };
}
