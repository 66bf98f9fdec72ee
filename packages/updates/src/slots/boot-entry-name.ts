import { ARCHITECTURE } from '../release/names.ts';
import type { BootEntry } from './slot-disk.ts';

const NAME = 'plinth';
const STAGED_SUFFIX = '.efi.staged';
const PATTERN = new RegExp(
  `^${NAME}_(?<version>[0-9][0-9A-Za-z.~^-]*)_${ARCHITECTURE}(?:\\+(?<left>[0-9]{1,3})(?:-(?<done>[0-9]{1,3}))?)?\\.efi$`,
);

/**
 * bootEntryName is the file of a version's UKI in EFI/Linux of the ESP: with counters "plinth_1.4.2_x86-64+3-0.efi" while it is on
 * trial, without when it is proven (systemd, Automatic Boot Assessment).
 */
export function bootEntryName(
  version: string,
  counters?: { readonly triesLeft: number; readonly triesDone: number },
): string {
  const suffix = counters ? `+${counters.triesLeft}-${counters.triesDone}` : '';
  return `${NAME}_${version}_${ARCHITECTURE}${suffix}.efi`;
}

/** stagedEntryName is the file of a staged UKI, in the same folder: boot loaders read only what ends in ".efi". */
export function stagedEntryName(version: string): string {
  return `${NAME}_${version}_${ARCHITECTURE}${STAGED_SUFFIX}`;
}

/** parseBootEntryName reads the name of a boot entry; undefined for files that are none of Plinth's. */
export function parseBootEntryName(file: string): BootEntry | undefined {
  const groups = PATTERN.exec(file)?.groups;
  const version = groups?.['version'];
  if (version === undefined) return undefined;
  const left = groups?.['left'];
  if (left === undefined) return { file, version };
  return { file, version, triesLeft: Number(left), triesDone: Number(groups?.['done'] ?? 0) };
}

/** parseStagedEntryName gives the version of a staged UKI; undefined for other files. */
export function parseStagedEntryName(file: string): string | undefined {
  if (!file.endsWith(STAGED_SUFFIX)) return undefined;
  return parseBootEntryName(`${file.slice(0, -STAGED_SUFFIX.length)}.efi`)?.version;
}
