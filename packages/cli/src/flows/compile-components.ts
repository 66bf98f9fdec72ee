import { join } from 'node:path';
import { type GoComponentSource, goComponentSource } from '@plinth/image';
import type { CommandContext } from '../framework/context.ts';
import { repositoryRoot } from '../repository.ts';
import { type UseLockOptions, useLock } from './use-lock.ts';

/**
 * compileComponents gives what go/ pins, compiled by the locked toolchain. Neither is touched when everything asked for
 * was compiled before.
 */
export function compileComponents(
  options: UseLockOptions & { readonly jobs?: number | undefined },
  context: CommandContext,
): GoComponentSource {
  const { jobs } = options;
  const goDir = join(repositoryRoot, 'go');
  return (names, progress) =>
    useLock('go-tools', options, context, progress, (lockDir) =>
      goComponentSource({ goDir, lockDir, jobs, signal: context.signal })(names, progress),
    );
}
