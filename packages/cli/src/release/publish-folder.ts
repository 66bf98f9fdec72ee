import { resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { type PublishedRelease, type PublishOptions, publishRelease } from '@plinth/publish';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { verifySubject } from '../flows/verify-subject.ts';
import type { CommandContext } from '../framework/context.ts';
import { repositoryOptions } from './repository-options.ts';

export interface PublishFolderOptions extends KeyFolderOptions {
  readonly to: string;
  readonly channel: string;
  readonly trust: string | undefined;
  readonly valid: number;
  readonly about: NonNullable<PublishOptions['about']>;
}

/**
 * publishFolder verifies a release and puts it into a repository.
 * @throws publish/release-refused unless every link passes; what verifySubject and publishRelease throw
 */
export async function publishFolder(
  release: string,
  options: PublishFolderOptions,
  context: CommandContext,
): Promise<PublishedRelease> {
  const { channel, about } = options;
  const signing = await repositoryOptions(options.to, options, context);
  await requireWhole(release, options, context);
  const published = await context.progress.step('Publish', () =>
    publishRelease({ ...signing, releaseDir: resolve(release), channel, about }),
  );
  if (!published.hasView)
    context.progress.warn('nothing for systemd-sysupdate: its key is not here; "plinth keys init" makes it');
  return published;
}

/** requireWhole lets only a release through whose every link passes. @throws publish/release-refused */
export async function requireWhole(
  release: string,
  { trust, keys }: { readonly trust: string | undefined; readonly keys: string | undefined },
  context: CommandContext,
): Promise<void> {
  const report = await verifySubject(release, trust ?? keys, context);
  if (report.verdict === 'pass') return;
  const open = report.checks.filter(({ verdict }) => verdict !== 'pass');
  const [first] = report.firstBroken ? [report.firstBroken] : open;
  throw new PlinthError(
    'publish/release-refused',
    `Cannot publish ${release}: ${first ? `${first.title}: ${first.verdict}, ${first.detail}` : 'it was not verified'}, expected every link to pass`,
    { hint: `See "plinth verify ${release}"; --trust names the certificates it is signed by.` },
  );
}
