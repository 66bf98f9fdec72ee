import { posix } from 'node:path';
import { compareText } from '../../compare-text.ts';
import type { TreeEntry } from '../../types.ts';
import type { Listener } from './release-facts.ts';

/** Where systemd reads system units from; the overlay's lower part stands for /etc (systemd.unit(5)). */
const UNIT_FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system'];

export interface EnabledUnit {
  readonly unit: string;
  readonly wantedBy: string;
}

/** findEnabledUnits lists the links in .wants, .requires and .upholds folders: what is started because of what. */
export function findEnabledUnits(entries: readonly TreeEntry[]): EnabledUnit[] {
  const found = entries.flatMap(({ path, kind }): EnabledUnit[] => {
    const folder = posix.dirname(path);
    const [, wantedBy] = /^(.+)\.(?:wants|requires|upholds)$/.exec(posix.basename(folder)) ?? [];
    if (kind !== 'symlink' || wantedBy === undefined || !UNIT_FOLDERS.includes(posix.dirname(folder)))
      return [];
    return [{ unit: posix.basename(path), wantedBy }];
  });
  return found.sort((a, b) => compareText(`${a.unit} ${a.wantedBy}`, `${b.unit} ${b.wantedBy}`));
}

/** isSocketUnit tells whether a path is a socket unit that systemd reads. */
export function isSocketUnit({ path, kind }: TreeEntry): boolean {
  return kind === 'file' && path.endsWith('.socket') && UNIT_FOLDERS.includes(posix.dirname(path));
}

/**
 * parseListeners reads what a socket unit listens on (systemd.socket(5)). An empty assignment clears all before it.
 * @param unit the unit's name
 */
export function parseListeners(unit: string, text: string, enabled: boolean): Listener[] {
  let listeners: Listener[] = [];
  for (const [, name = '', address = ''] of text.matchAll(
    /^[ \t]*Listen([A-Z]\w*)[ \t]*=[ \t]*(.*?)[ \t]*$/gm,
  )) {
    const kind = name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    if (address === '') listeners = [];
    else listeners.push({ unit, kind, address, enabled });
  }
  return listeners;
}
