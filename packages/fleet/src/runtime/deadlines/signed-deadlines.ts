import { messageOf, PlinthError } from '@plinth/base';
import { askKube, type KubeConnection } from '@plinth/kube';
import type { ChannelDeadlines } from '@plinth/updates';
import type { SeenStore } from '@plinth/updates/tuf';
import { UPDATE_ROOT } from '../../install/names.ts';
import { momentMs } from '../../objects/index.ts';
import { rawAt } from '../../view/project/raw.ts';
import type { SignedDeadline, StoredPolicy, StoredRelease } from '../../view/view.ts';
import type { Wait } from '../queue/wait.ts';
import { readSignedDeadlines } from './read-repository.ts';

export interface SignedDeadlinesParts {
  readonly connection: KubeConnection;
  /** Where the ConfigMap with the root of trust lies: the operator's. */
  readonly namespace: string;
  readonly policies: ReadonlyMap<string, StoredPolicy>;
  readonly releases: ReadonlyMap<string, StoredRelease>;
  readonly nowMs: () => number;
  readonly wait: Wait;
  /** A release has another deadline than before. */
  changed(): void;
}

const TICK_MS = 15_000;
/** How often a repository is asked; one that could not be read is asked sooner. */
const EVERY_MS = 15 * 60_000;
const RETRY_MS = 60_000;

type Channel = { readonly repository: string; readonly name: string };

/** What a channel said last. */
interface Heard {
  readonly atMs: number;
  readonly said: ChannelDeadlines | undefined;
  /** Why it could not be read. */
  readonly problem?: string;
}

/** openSignedDeadlines reads, for the releases that policies name, by when their channels want them on nodes. It never throws. */
export function openSignedDeadlines(parts: SignedDeadlinesParts) {
  const { connection, namespace, policies, releases, nowMs, wait, changed } = parts;
  const heard = new Map<string, Heard>();
  const stores = new Map<string, SeenStore>();
  let byRelease: ReadonlyMap<string, SignedDeadline> = new Map();

  const named = () =>
    [...policies.values()].flatMap(({ spec }) => {
      const release = releases.get(spec.release);
      return release?.spec.channel && release.spec.os ? [release] : [];
    });

  async function ask({ repository, name }: Channel, signal: AbortSignal): Promise<Heard> {
    const atMs = nowMs();
    try {
      const trustedRoot = await readRoot(connection, namespace, signal);
      const store = stores.get(repository) ?? memoryStore();
      stores.set(repository, store);
      const trustedRootFile = `the ConfigMap ${namespace}/${UPDATE_ROOT.name}`;
      const asked = { repository, channel: name, trustedRoot, trustedRootFile, store, atMs };
      return { atMs, said: await readSignedDeadlines(asked, signal) };
    } catch (reason) {
      return { atMs, said: undefined, problem: messageOf(reason).slice(0, 1024) };
    }
  }

  async function look(signal: AbortSignal): Promise<void> {
    const wanted = named();
    for (const { spec } of wanted) {
      if (!spec.channel || signal.aborted) continue;
      const before = heard.get(keyOf(spec.channel));
      const dueMs = before ? before.atMs + (before.problem === undefined ? EVERY_MS : RETRY_MS) : 0;
      if (nowMs() >= dueMs) heard.set(keyOf(spec.channel), await ask(spec.channel, signal));
    }
    const channels = new Set(wanted.flatMap(({ spec }) => (spec.channel ? [keyOf(spec.channel)] : [])));
    for (const key of heard.keys()) if (!channels.has(key)) heard.delete(key);
    const now = new Map(wanted.map((release) => [release.name, deadlineOf(release, heard)]));
    const isNews = JSON.stringify([...now]) !== JSON.stringify([...byRelease]);
    byRelease = now;
    if (isNews) changed();
  }

  return {
    byRelease: () => byRelease,
    look,
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await look(signal);
        await wait(TICK_MS, signal);
      }
    },
  };
}

function keyOf({ repository, name }: Channel): string {
  return JSON.stringify([repository, name]);
}

function deadlineOf({ spec }: StoredRelease, heard: ReadonlyMap<string, Heard>): SignedDeadline {
  const found = spec.channel && heard.get(keyOf(spec.channel));
  if (!found) return { is: 'unknown', text: 'its channel was not asked yet' };
  if (found.problem !== undefined) return { is: 'unknown', text: found.problem };
  const deadline = found.said?.deadlines.find(({ version }) => version === spec.os?.version);
  return deadline ? { is: 'said', byMs: momentMs(deadline.by), reason: deadline.reason } : { is: 'none' };
}

/** @throws update/no-trusted-root, kube/… */
async function readRoot(
  connection: KubeConnection,
  namespace: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${UPDATE_ROOT.name}`;
  const answer = await askKube(connection, { method: 'GET', path }, signal);
  const text = rawAt(answer, 'data')[UPDATE_ROOT.key];
  if (typeof text === 'string') return Buffer.from(text);
  throw new PlinthError(
    'update/no-trusted-root',
    `Cannot use the ConfigMap ${namespace}/${UPDATE_ROOT.name}: it has no key ${UPDATE_ROOT.key}, expected the root of trust for updates`,
  );
}

/** What was seen is forgotten with the process: until the next change of leaders, metadata do not go back. */
function memoryStore(): SeenStore {
  const files = new Map<string, Buffer>();
  return {
    read: async (name) => files.get(name),
    write: async (name, data) => void files.set(name, Buffer.from(data)),
  };
}
