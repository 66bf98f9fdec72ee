import { join, resolve } from 'node:path';
import { readSubject, type SortedStatements, sortStatements } from '@plinth/advisory';
import { PlinthError } from '@plinth/base';
import { run } from '@plinth/host';
import {
  type BuildDifference,
  compareBuilds,
  type DiskFormat,
  type Manifest,
  releaseImage,
  secureBootKeys,
} from '@plinth/image';
import type { CommandContext } from '../framework/context.ts';
import { repositoryRoot } from '../repository.ts';
import { readToolVersion } from '../tool-version.ts';
import { buildAgain } from './build-again.ts';
import { type BuildDiskOptions, type BuiltDisk, buildDisk } from './build-disk.ts';

export interface BuildReleaseOptions extends BuildDiskOptions {
  /** The folder that receives one folder a release. */
  readonly outDir: string;
  readonly formats: readonly DiskFormat[];
  /** Build a second time under other circumstances and compare. */
  readonly check: boolean;
}

export interface BuiltRelease {
  readonly folder: string;
  /** What is said of its flaws, as it answered; absent when nothing is said. */
  readonly statements?: SortedStatements;
  readonly manifest: Manifest;
  /** What the second build made otherwise; absent when there was none. */
  readonly differences?: readonly BuildDifference[];
}

/** buildRelease builds the image and writes its release folder. @throws what buildDisk and releaseImage throw */
export async function buildRelease(
  options: BuildReleaseOptions,
  context: CommandContext,
): Promise<BuiltRelease> {
  const built = await buildDisk(options, context);
  const differences = options.check ? await checkAgain(built, options, context) : undefined;
  const { name, version } = built.image.spec;
  const folder = join(resolve(options.outDir), `${name}_${version}`);
  const commit = await readCommit();
  const manifest = await releaseImage(built.image, {
    lock: built.lock,
    keys: built.keys.signers,
    secureBoot: secureBootKeys(built.keys),
    toolbox: built.toolbox,
    agentVersion: await readToolVersion(),
    outDir: folder,
    formats: options.formats,
    progress: context.progress,
    signal: context.signal,
    ...(commit === undefined ? {} : { commit }),
  });
  const { statements } = await readSubject(folder);
  return {
    ...{ folder, manifest },
    ...(statements ? { statements: sortStatements(statements) } : {}),
    ...(differences === undefined ? {} : { differences }),
  };
}

async function checkAgain(
  { image }: BuiltDisk,
  options: BuildReleaseOptions,
  context: CommandContext,
): Promise<readonly BuildDifference[]> {
  return buildAgain(options, context, (second) =>
    context.progress.step('Compare the two builds', () => compareBuilds(image, second)),
  );
}

/** The commit the source is at, for the provenance; undefined when files differ from it or this is no checkout. */
async function readCommit(): Promise<string | undefined> {
  const git = (...args: string[]) => run('git', ['-C', repositoryRoot, ...args]);
  try {
    const { stdout: changes } = await git('status', '--porcelain');
    if (changes.length > 0) return undefined;
    return (await git('rev-parse', 'HEAD')).stdout.toString('utf8').trim();
  } catch (reason) {
    // No git, or no checkout: the provenance then names the lock and the toolbox only.
    if (reason instanceof PlinthError && reason.code.startsWith('host/command-')) return undefined;
    throw reason;
  }
}
