import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MakePipes } from '../own/pipes.ts';

const run = promisify(execFile);

/** fifoPipes makes the pipes of a container with the mkfifo of this machine. */
export const fifoPipes: MakePipes = async (folder) => {
  await run('mkfifo', [join(folder, 'stdin'), join(folder, 'stdout')]);
};
