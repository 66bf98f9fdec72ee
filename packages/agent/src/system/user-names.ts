import { parseUserNames } from '../kernel/process-files.ts';
import type { Sys } from '../sys/sys.ts';

/** readUserNames reads the users of the image; those of pods have no names here. */
export async function readUserNames(sys: Pick<Sys, 'readFile'>): Promise<ReadonlyMap<number, string>> {
  return parseUserNames((await sys.readFile('/etc/passwd')).toString());
}
