import type { Lock } from '@plinth/debian';
import type { Inventory } from '../model/index.ts';
import { parseBuiltUsing } from './debian-fields.ts';

/** inventoryOfLock is what a package lock promises: packages and Built-Using edges, no files, no Go programs; pure. */
export function inventoryOfLock(lock: Lock, locator: string, sha256: string): Inventory {
  const codename = lock.indexes.find(({ suite }) => !suite.includes('-'))?.suite ?? '';
  return {
    format: 1,
    subject: {
      kind: 'lock',
      name: locator,
      architecture: lock.architecture,
      distribution: 'debian',
      codename,
      created: lock.created,
    },
    inputs: [{ locator, sha256, source: 'lock' }],
    binaries: lock.packages.map((item) => ({
      name: item.name,
      version: item.version,
      architecture: lock.architecture,
      source: item.source,
      sourceVersion: item.sourceVersion,
      builtUsing: (item.builtUsing ?? []).flatMap(parseBuiltUsing),
      staticBuiltUsing: (item.staticBuiltUsing ?? []).flatMap(parseBuiltUsing),
      filesPresent: 'unknown',
      provenance: { source: 'lock', locator },
    })),
    goPrograms: [],
    npmModules: [],
    gaps: [
      'a lock names packages only: what Plinth compiles itself, files and kernel config are in a release',
    ],
  };
}
