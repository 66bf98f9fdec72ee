import { readFileSync } from 'node:fs';
import { readDocument } from '@plinth/base';
import { type PathRule, pathTable } from '../integrity/path-table.ts';

/** The image's own path table, file and rules. */
export const PATHS_FILE = new URL('../../../../os/paths.yaml', import.meta.url);

export function imagePathRules(): readonly PathRule[] {
  const table = readDocument(
    readFileSync(PATHS_FILE, 'utf8'),
    'os/paths.yaml',
    pathTable,
    'agent/bundle-failed',
  );
  if (!table.ok) throw new Error(table.diagnostics.map(({ message }) => message).join('\n'));
  return table.value.paths;
}
