import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  advisoryStorePath,
  follow,
  type Look,
  listSubjects,
  openAdvisoryStore,
  readPolicy,
  watch,
} from '@plinth/advisory';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { openKeys } from '../flows/open-keys.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { renderBlocks } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { showWatch } from './show-watch.ts';

export interface WatchSubjectsOptions extends KeyFolderOptions {
  readonly to: string;
  readonly policy?: string | undefined;
  readonly offline: boolean;
  readonly exitCode: boolean;
  /** Look at the feeds again and again. */
  readonly follow: boolean;
  /** The longest pause between two looks. */
  readonly every: number;
  /** Addresses of documents of feeds, separated by commas. */
  readonly feeds?: string | undefined;
}

/**
 * watchSubjects judges subjects anew and says what changed; with `follow` whenever the feeds do, until it is interrupted.
 * @throws cli/usage, host/locked, advisory/…, trust/…, host/io
 */
export async function watchSubjects(
  subjects: readonly string[],
  options: WatchSubjectsOptions,
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const documents = readAddresses(options.feeds);
  if (!options.follow && documents.length > 0)
    throw usageError('--feeds is of --follow alone', 'Import documents once with "plinth cve feeds import".');
  if (options.follow && options.exitCode)
    throw usageError(
      '--exit-code is given with --follow, which ends when it is told to, expected one of them',
    );
  const policy = await readPolicy(options.policy);
  const keys = await openKeys(options, context);
  const folder = resolve(options.to);
  const paths = subjects.map((subject) => resolve(subject));
  const trusted = keys.certificates('release');
  const store = await openAdvisoryStore(advisoryStorePath(context.env));
  try {
    const shared = {
      ...{ store, folder, policy, signer: keys.signers.release, trusted, offline: options.offline },
      ...{ mirrors: { env: context.env }, signal: context.signal, progress: context.progress },
    };
    if (options.follow) {
      const clock = { now: () => new Date(), sleep: pause, random: Math.random };
      const onLook = (look: Look) => tellLook(look, folder, trusted, context);
      await follow(paths, { ...shared, documents, everyMs: options.every, clock, onLook });
      return undefined;
    }
    const all = await listSubjects(paths);
    const results = await watch(all, shared);
    return await showWatch(results, all, folder, trusted, options.exitCode);
  } finally {
    await store.close();
  }
}

/** SIGTERM and Ctrl-C are the usual end of a pause. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** Writes what a look found: what changed, what failed, and the table of the run; with -o json one object a line. */
async function tellLook(
  { at, changes, failures, results }: Look,
  folder: string,
  trusted: Parameters<typeof showWatch>[3],
  { format, writeOut, style }: CommandContext,
): Promise<void> {
  const shown = results && (await showWatch(results, [], folder, trusted, false));
  if (format === 'json') {
    writeOut(`${JSON.stringify({ at: at.toISOString(), changes, failures, results: shown?.data })}\n`);
    return;
  }
  const told = [
    ...(changes.length > 0 ? [`new: ${changes.join(', ')}`] : []),
    ...failures.map((failure) => `failed: ${failure}`),
  ];
  for (const line of told.length > 0 ? told : ['nothing fails any more'])
    writeOut(`${at.toISOString()} ${printable(line)}\n`);
  if (shown) writeOut(renderBlocks(shown.view.slice(0, 1), { wide: false, style }));
}

function readAddresses(list: string | undefined): string[] {
  const words = (list ?? '').split(',').map((word) => word.trim());
  return words.filter((word) => word !== '').map(readAddress);
}

function readAddress(word: string): string {
  const url = URL.parse(word);
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw usageError(`value of --feeds has "${word}", expected addresses (https) separated by commas`);
}
