import { compareUapiVersions } from '@plinth/base';

/** State of an entry in systemd's Automatic Boot Assessment. */
export type BootState = 'good' | 'trial' | 'bad';

/** One unified kernel image. */
export interface BootEntryReport {
  readonly file: string;
  readonly version: string;
  readonly state: BootState;
  readonly triesLeft: number;
  readonly triesDone: number;
  readonly booted: boolean;
}

/**
 * parseBootEntry reads the name of a unified kernel image: NAME_VERSION[_ARCH][+LEFT[-DONE]].efi; undefined for
 * anything else. Source: UAPI.1 "Type #2", systemd AUTOMATIC_BOOT_ASSESSMENT.
 */
export function parseBootEntry(file: string, selectedEntry: string): BootEntryReport | undefined {
  const match = /^(?<stem>[^+]+?)(?:\+(?<left>\d+)(?:-(?<done>\d+))?)?\.efi$/i.exec(file);
  const stem = match?.groups?.['stem'];
  if (!match || !stem) return undefined;
  const left = match.groups?.['left'];
  const triesLeft = Number(left ?? 0);
  return {
    file,
    version: stem.split('_')[1] ?? '',
    state: left === undefined ? 'good' : triesLeft > 0 ? 'trial' : 'bad',
    triesLeft,
    triesDone: Number(match.groups?.['done'] ?? 0),
    booted: selectedEntry !== '' && stem === withoutCounter(selectedEntry),
  };
}

/** sortBootEntries puts the newest version first, as the boot loader does. */
export function sortBootEntries(entries: readonly BootEntryReport[]): readonly BootEntryReport[] {
  return [...entries].sort((a, b) => compareUapiVersions(b.version, a.version));
}

/** The counter in a name changes while the node runs (blessing), so entries are compared without it. */
function withoutCounter(entry: string): string {
  return entry.replace(/(?:\+\d+(?:-\d+)?)?(?:\.efi)?$/i, '');
}
