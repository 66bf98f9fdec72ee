import { resolve } from 'node:path';
import { pushRelease } from '@plinth/publish';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts } from '../output/blocks.ts';
import { requireWhole } from './publish-folder.ts';
import { publishedFiles } from './published-files.ts';

/** pushToRegistry verifies a release and puts it into a registry. @throws publish/…, release/… */
export async function pushToRegistry(
  release: string,
  options: { readonly to: string; readonly trust: string | undefined; readonly keys: string | undefined },
  context: CommandContext,
): Promise<CommandResult> {
  await requireWhole(release, options, context);
  const { env, signal } = context;
  const pushed = await context.progress.step('Push', (progress) =>
    pushRelease({ releaseDir: resolve(release), to: options.to, env, progress, signal }),
  );
  return {
    data: pushed,
    names: [pushed.reference],
    view: [
      publishedFiles(pushed.files),
      facts([
        ['reference', pushed.reference],
        ['digest', pushed.digest],
        ['image', pushed.imageDigest],
        ['referrers', pushed.referrers.map(({ artifactType }) => artifactType).join(', ')],
      ]),
    ],
  };
}
