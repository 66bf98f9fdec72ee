import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ioError } from '@plinth/host';
import { type BuiltHotLayer, hotLayerOfReleases } from '@plinth/image';
import { openToolbox } from '@plinth/toolbox';
import { parseHotLayer } from '@plinth/updates';
import type { CommandContext } from '../framework/context.ts';
import type { KeyFolderOptions } from './key-folder.ts';
import { openKeys } from './open-keys.ts';
import { osDir, useLock } from './use-lock.ts';

export interface MakeHotLayerOptions extends KeyFolderOptions {
  readonly base: string;
  readonly next: string;
  readonly packages: string | undefined;
  readonly previous: string | undefined;
  readonly advisories: string | undefined;
  readonly output: string;
  readonly frozen: boolean;
}

/** makeHotLayer builds a hot layer with the keys of this person. @throws hot-layer/…, release/…, policy/violations, trust/… */
export async function makeHotLayer(
  options: MakeHotLayerOptions,
  context: CommandContext,
): Promise<BuiltHotLayer> {
  const { progress, signal } = context;
  const { previous } = options;
  const keys = await openKeys(options, context);
  const toolbox = await progress.step('Open the toolbox', (step) =>
    useLock('toolbox', options, context, step, (lockDir) => openToolbox({ lockDir, progress: step, signal })),
  );
  return progress.step('Build the hot layer', async (step) =>
    hotLayerOfReleases({
      ...{ osDir, toolbox, progress: step, key: keys.signers.verity },
      ...{ baseFolder: resolve(options.base), nextFolder: resolve(options.next) },
      packages: words(options.packages),
      advisories: words(options.advisories),
      previous:
        previous === undefined ? undefined : parseHotLayer(await readText(resolve(previous)), previous),
      outDir: resolve(options.output),
    }),
  );
}

function words(list = ''): string[] {
  return list.split(',').flatMap((word) => word.trim() || []);
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
}
