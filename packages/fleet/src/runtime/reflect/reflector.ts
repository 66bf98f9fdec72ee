import { setImmediate as turn } from 'node:timers/promises';
import { messageOf, PlinthError } from '@plinth/base';
import { type KubeConnection, type KubeRequest, listPages, statusError } from '@plinth/kube';
import { rawAt, textOf, textsOf } from '../../view/project/raw.ts';
import type { Wait } from '../queue/wait.ts';
import { type Heard, type Identified, Mirror } from './mirror.ts';
import { watchLines } from './watch-lines.ts';

/** One kind of object that is mirrored. */
export interface ReflectorSpec<T extends Identified> {
  /** "/api/v1/nodes". */
  readonly path: string;
  /** Selectors. */
  readonly query?: Readonly<Record<string, string>>;
  key(item: T): string;
  /** undefined: an object that cannot be read; it is left out and counted. */
  project(raw: unknown): T | undefined;
  /** A whole list was read; that of nothing is no change otherwise. */
  listed?(): void;
  /** Asks for the list and what comes after it in one call, where the API server can (WatchList): for short lists that are many. */
  readonly isStreamed?: boolean;
}

export interface ReflectorParts {
  readonly connection: KubeConnection;
  readonly wait: Wait;
  readonly random: () => number;
  say(text: string): void;
}

export interface Reflector<T extends Identified> {
  readonly items: ReadonlyMap<string, T>;
  /** A whole list was read since it runs. */
  readonly isSynced: boolean;
  /** Objects that could not be read, by name. */
  readonly unreadable: ReadonlySet<string>;
  /** Lists that were read so far: each beyond the first was forced by an expired or lost watch. */
  readonly lists: number;
  /** What an own write was answered: the next look has to see it. */
  learn(raw: unknown): T | undefined;
  /** Lists and watches until the signal aborts. Never throws. */
  run(signal: AbortSignal): Promise<void>;
}

const PAGE_SIZE = 500;
const BACKOFF_MS = { first: 500, most: 30_000 };
const BRIEF_MS = 1_000;
/** Bookmarks come about each minute; a connection that is silent for longer is dead. */
const SILENCE_MS = 150_000;
const WATCH_S = 300;
/** How an API server without WatchList refuses one: as invalid, or as unknown. */
const NO_STREAM = [400, 422];
const INITIAL_END = 'k8s.io/initial-events-end';

/**
 * openReflector mirrors one kind: a list in pages, each projected before the next is asked for, then a watch from its version, resumed where
 * it ended; or both in one call. An expired version (410) makes it list again; failures wait longer each time. What is mirrored stays while it is cut off.
 */
export function openReflector<T extends Identified>(
  spec: ReflectorSpec<T>,
  { connection, wait, random, say }: ReflectorParts,
  heard: Heard<T>,
): Reflector<T> {
  const mirror = new Mirror<T>(heard);
  const unreadable = new Set<string>();
  let isSynced = false;
  let lists = 0;
  let isStreamed = spec.isStreamed ?? false;

  const read = (raw: unknown): T | undefined => {
    const item = spec.project(raw);
    const name = textOf(rawAt(raw, 'metadata')['name']);
    if (item !== undefined) unreadable.delete(name);
    else unreadable.add(name);
    return item;
  };

  async function list(signal: AbortSignal): Promise<string> {
    const found = new Map<string, T>();
    let version = '';
    const options = { pageSize: PAGE_SIZE, query: { ...spec.query } };
    for await (const page of listPages(connection, spec.path, options, signal)) {
      version = page.resourceVersion;
      for (const raw of page.items) {
        const item = read(raw);
        if (item) found.set(spec.key(item), item);
      }
      // Leases, probes and other kinds have their turn.
      await turn();
    }
    replace(found, version);
    return version;
  }

  /** @param from undefined: of now, with the list before it. @returns the version to go on from; undefined: it has expired */
  async function watch(from: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    const query = {
      ...spec.query,
      ...{ watch: 'true', allowWatchBookmarks: 'true' },
      ...(from === undefined
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: from }),
      timeoutSeconds: String(WATCH_S + Math.floor(random() * WATCH_S)),
    };
    const asked: KubeRequest = { method: 'GET', path: spec.path, query };
    const answer = await connection.open(asked, signal);
    answer.setTimeout(SILENCE_MS, () => answer.destroy(new Error('the watch is silent')));
    if (from === undefined && NO_STREAM.includes(answer.statusCode ?? 0)) {
      answer.destroy();
      isStreamed = false;
      return undefined;
    }
    if (answer.statusCode === 410) {
      answer.destroy();
      return undefined;
    }
    if (answer.statusCode !== 200) {
      const text = (await answer.setEncoding('utf8').take(20).toArray()).join('');
      throw statusError(asked, { status: answer.statusCode ?? 0, text, retryAfterMs: undefined });
    }
    let version = from;
    /** What was there when it began, until all of it was told. */
    let initial = from === undefined ? new Map<string, T>() : undefined;
    for await (const line of watchLines(answer)) {
      if (line === '') continue;
      const { type, object } = rawAt(JSON.parse(line));
      const metadata = rawAt(object, 'metadata');
      if (type === 'ERROR') {
        const { code, message } = rawAt(object);
        if (code === 410) return undefined;
        throw new PlinthError('kube/failed', `Cannot watch ${spec.path}: ${textOf(message)}`);
      }
      if (initial) {
        if (type !== 'BOOKMARK') gather(initial, type, object);
        else if (textsOf(metadata['annotations'])[INITIAL_END] === 'true') {
          version = textOf(metadata['resourceVersion']);
          replace(initial, version);
          initial = undefined;
        }
        continue;
      }
      version = textOf(metadata['resourceVersion']) || version;
      if (type === 'BOOKMARK') mirror.reach(version ?? '');
      else hear(type, object, version ?? '');
    }
    if (initial)
      throw new PlinthError('kube/failed', `Cannot watch ${spec.path}: it ended before its list did`);
    return version;
  }

  function gather(initial: Map<string, T>, type: unknown, object: unknown): void {
    const item = read(object);
    if (item === undefined) return;
    if (type === 'DELETED') initial.delete(spec.key(item));
    else initial.set(spec.key(item), item);
  }

  function replace(found: ReadonlyMap<string, T>, version: string): void {
    mirror.replace(found, version);
    lists++;
    isSynced = true;
    spec.listed?.();
  }

  function hear(type: unknown, object: unknown, version: string): void {
    const item = read(object);
    if (item === undefined) return;
    if (type === 'DELETED') mirror.drop(spec.key(item), item.uid, version);
    else mirror.put(spec.key(item), item);
  }

  return {
    items: mirror.items,
    unreadable,
    get isSynced() {
      return isSynced;
    },
    get lists() {
      return lists;
    },
    learn(raw) {
      const item = read(raw);
      if (item) mirror.put(spec.key(item), item);
      return item;
    },
    async run(signal) {
      let version: string | undefined;
      let failures = 0;
      while (!signal.aborted) {
        const began = performance.now();
        try {
          if (!isStreamed) version ??= await list(signal);
          version = await watch(version, signal);
          // One that is ended as soon as it is begun is no watch, though nothing failed.
          failures = performance.now() - began > BRIEF_MS ? 0 : failures + 1;
        } catch (reason) {
          if (signal.aborted) return;
          // A watch that lived was no failure: API servers restart.
          failures = performance.now() - began > BACKOFF_MS.most ? 1 : failures + 1;
          if (reason instanceof PlinthError && reason.code === 'kube/expired') version = undefined;
          if (failures > 1) say(`${spec.path}: ${messageOf(reason)}`);
        }
        const delayMs = Math.min(BACKOFF_MS.first * 2 ** Math.min(failures, 10), BACKOFF_MS.most);
        // Not all kinds at once when an API server comes back.
        await wait(failures === 0 ? random() * 200 : delayMs * (0.5 + random() / 2), signal);
      }
    },
  };
}
