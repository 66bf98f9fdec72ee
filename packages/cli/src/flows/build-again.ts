import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, removeTree, run } from '@plinth/host';
import type { BuildDifference, ComparableBuild } from '@plinth/image';
import type { CommandContext } from '../framework/context.ts';
import type { BuildDiskOptions } from './build-disk.ts';
import { keyFolder } from './key-folder.ts';

/** What the second build gets otherwise than the first: nothing of it may show in the result. */
const OTHER_CIRCUMSTANCES = { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' };
const PROGRAM = join(import.meta.dirname, 'second-build.ts');

/**
 * buildAgain builds everything from the packages on, in a process of its own with another folder, time zone, locale,
 * umask and number of processors, and hands the result to `compare`. The folder stays when something differs.
 * @throws what the build throws, as host/command-failed
 */
export async function buildAgain(
  options: BuildDiskOptions,
  context: CommandContext,
  compare: (second: ComparableBuild) => Promise<readonly BuildDifference[]>,
): Promise<readonly BuildDifference[]> {
  const { env, signal } = context;
  const folder = await mkdtemp(join(cacheDir(), 'second-build-with-a-longer-name-'));
  let isSame = false;
  try {
    await context.progress.step('Build a second time, otherwise', async (step) => {
      const args = [
        '-c',
        '0',
        process.execPath,
        PROGRAM,
        folder,
        keyFolder(options, env),
        String(options.frozen),
        options.execute ?? '',
      ];
      const secret = options.passphraseFile === undefined ? [] : [options.passphraseFile];
      await run('taskset', [...args, ...secret], {
        cwd: '/',
        env: { ...definedOf(env), ...OTHER_CIRCUMSTANCES },
        signal,
        onStderrLine: (line) => step.note(line.slice(line.lastIndexOf('>') + 1).trim()),
      });
    });
    const differences = await compare(JSON.parse(await readFile(join(folder, 'build.json'), 'utf8')));
    isSame = differences.length === 0;
    if (!isSame) context.progress.warn(`the second build stays in ${folder}`);
    return differences;
  } finally {
    if (isSame || signal.aborted) await removeTree(folder);
  }
}

function definedOf(env: CommandContext['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
