import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, withLock } from '@plinth/host';
import { HALF_DAY_MS, suitesFor } from '../../feeds/refresh.ts';
import { listSubjects, readSubject } from '../../inventory/index.ts';
import { type WatchOptions, type WatchResult, watch } from '../watch.ts';
import { type AskedSources, askSources } from './ask-sources.ts';
import { pauseMs } from './pause.ts';

/** Time as the follower knows it; tests bring their own. */
export interface FollowClock {
  readonly now: () => Date;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface FollowOptions extends Omit<WatchOptions, 'now' | 'refresh' | 'signal'> {
  /** The longest pause between two looks. */
  readonly everyMs: number;
  /** Addresses of documents of feeds, asked for as the indexes are. */
  readonly documents: readonly string[];
  readonly clock: FollowClock;
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Told each look that found something, or failed in another way than the one before. */
  readonly onLook: (look: Look) => void | Promise<void>;
}

/** One look at the sources. */
export interface Look {
  readonly at: Date;
  /** What is new since the last run, in words: feeds and subjects by name; or why there was a run without news. */
  readonly changes: readonly string[];
  /** What could not be asked, or kept the run from its end. */
  readonly failures: readonly string[];
  /** Of the run that followed; absent when nothing was new, or it failed. */
  readonly results?: readonly WatchResult[];
}

/** What a run was made of, and when. */
interface LastRun {
  readonly at: Date;
  readonly feeds: ReadonlyMap<string, string>;
  readonly subjects: ReadonlySet<string>;
}

/**
 * follow looks at the feeds again and again, and judges subjects anew when one changed, a subject came in, or half a day is over.
 * News are judged no later than `everyMs` after a source has them, and the time that the run takes. Whatever else fails than
 * the first run is told and tried again. One follower at a time for a folder; a run in between does no harm.
 * @param paths subjects, or folders of them, which are looked into each time
 * @throws host/locked, and what watch throws in the first run; nothing once the signal is aborted
 */
export async function follow(paths: readonly string[], options: FollowOptions): Promise<void> {
  const { folder } = options;
  await mkdir(folder, { recursive: true }).catch((reason: unknown) => {
    throw ioError(reason, `make ${folder}`);
  });
  await withLock(join(folder, '.follow.lock'), `follow feeds into ${folder}`, () =>
    lookAgain(paths, options),
  );
}

async function lookAgain(paths: readonly string[], options: FollowOptions): Promise<void> {
  const { clock, signal, onLook } = options;
  const asked: AskedSources = { indexes: new Map(), documents: new Map() };
  const codenames = new Map<string, string>();
  let last: LastRun | undefined;
  let failed = 0;
  let told = '';
  while (!signal.aborted) {
    const at = clock.now();
    let look: Look;
    try {
      const { run, ...found } = await lookOnce(paths, asked, codenames, last, at, options);
      look = found.look;
      last = run ?? last;
    } catch (reason) {
      if (signal.aborted) return;
      if (!(reason instanceof PlinthError) || !last) throw reason;
      const failure = `${reason.code}: ${reason.message.split('\n')[0] ?? ''}`;
      look = { at, changes: [], failures: [failure] };
    }
    failed = look.failures.length > 0 ? failed + 1 : 0;
    const failures = look.failures.join('\n');
    if (look.changes.length > 0 || failures !== told) await onLook(look);
    told = failures;
    await clock.sleep(pauseMs(options.everyMs, failed, clock.random()), signal);
  }
}

async function lookOnce(
  paths: readonly string[],
  asked: AskedSources,
  codenames: Map<string, string>,
  last: LastRun | undefined,
  at: Date,
  options: FollowOptions,
): Promise<{ readonly look: Look; readonly run?: LastRun }> {
  const subjects = await listSubjects(paths);
  const suites = options.offline ? [] : await suitesOf(subjects, codenames);
  const documents = options.offline ? [] : options.documents;
  const failures = await askSources(suites, asked, { ...options, documents, now: at });
  // Before the run: what somebody imports while it judges is news to the next look.
  const feeds = await feedsOf(options);
  const changes = changesSince(last, feeds, subjects, at);
  if (changes.length === 0) return { look: { at, changes, failures } };
  const results = await watch(subjects, { ...options, now: at });
  return { look: { at, changes, failures, results }, run: { at, feeds, subjects: new Set(subjects) } };
}

/** Every suite that one of the subjects is judged by. What a subject is, is read once: a release never changes. */
async function suitesOf(subjects: readonly string[], codenames: Map<string, string>): Promise<string[]> {
  for (const path of subjects)
    if (!codenames.has(path)) codenames.set(path, (await readSubject(path)).subject.codename);
  return [...new Set(subjects.flatMap((path) => suitesFor(codenames.get(path) ?? '')))];
}

async function feedsOf({ store }: FollowOptions): Promise<ReadonlyMap<string, string>> {
  return new Map((await store.feeds()).map(({ name, sha256 }) => [name, sha256]));
}

function changesSince(
  last: LastRun | undefined,
  feeds: ReadonlyMap<string, string>,
  subjects: readonly string[],
  at: Date,
): string[] {
  if (!last) return ['first look'];
  const news = [
    ...[...feeds].filter(([name, sha256]) => last.feeds.get(name) !== sha256).map(([name]) => name),
    ...subjects.filter((path) => !last.subjects.has(path)),
  ];
  if (news.length > 0) return news;
  return at.getTime() - last.at.getTime() >= HALF_DAY_MS ? ['half a day is over'] : [];
}
