import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/**
 * scratchFolder makes a folder for a test. It is removed when the test that asked for it ends; asked for outside of a
 * test, when the file's tests end.
 * @param what one word for the folder's name, to tell whose it is
 */
export async function scratchFolder(what: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `plinth-${what}-`));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
