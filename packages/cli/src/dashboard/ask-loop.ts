import type { NodeClient } from '@plinth/api';
import { messageOf } from '@plinth/base';
import { type DashboardData, failed, learned, logged, type Source } from './data.ts';
import { PANEL_SOURCES } from './frame.ts';
import type { DashboardState } from './state.ts';

/** How a source is asked, and how often while a panel shows it. */
interface Asked {
  readonly everyMs: number;
  ask(node: NodeClient): Promise<(data: DashboardData, nowMs: number) => DashboardData>;
}

function source<S extends Source>(
  name: S,
  everyMs: number,
  call: (node: NodeClient) => Promise<NonNullable<Parameters<typeof learned<S>>[2]>>,
): Asked {
  return {
    everyMs,
    async ask(node) {
      const value = await call(node);
      return (data, nowMs) => learned(data, name, value, nowMs);
    },
  };
}

/** Integrity tries writes and health asks around; both are costly on a node that is ill. */
const SOURCES: Readonly<Record<Source, Asked>> = {
  identity: source('identity', 60_000, (node) => node.getIdentity()),
  versions: source('versions', 60_000, (node) => node.getVersions()),
  health: source('health', 10_000, (node) => node.getHealth()),
  slots: source('slots', 30_000, (node) => node.getSlots()),
  update: source('update', 3_000, (node) => node.update.get()),
  integrity: source('integrity', 60_000, (node) => node.getIntegrity()),
  boot: source('boot', 60_000, (node) => node.getBootReport()),
  kubernetes: source('kubernetes', 5_000, (node) => node.kubernetes.get()),
  services: source('services', 5_000, (node) => node.system.services()),
  network: source('network', 5_000, (node) => node.system.network()),
  resources: source('resources', 3_000, (node) => node.system.resources()),
};
const RETRY_MS = 3_000;
const FIRST_LINES = 200;

export interface AskParts {
  readonly node: NodeClient;
  readonly state: () => DashboardState;
  readonly change: (to: (data: DashboardData) => DashboardData) => void;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** openAskLoop gives what is called again and again: it asks for whatever the panel shows and is due, once at a time. */
export function openAskLoop({ node, state, change, nowMs, signal }: AskParts): () => void {
  const dueMs = new Map<Source, number>();
  const running = new Set<Source>();
  let refreshed = 0;
  const ask = async (name: Source) => {
    running.add(name);
    try {
      const take = await SOURCES[name].ask(node);
      if (!signal.aborted) change((data) => take(data, nowMs()));
      dueMs.set(name, nowMs() + SOURCES[name].everyMs);
    } catch (reason) {
      if (!signal.aborted) change((data) => failed(data, name, messageOf(reason)));
      dueMs.set(name, nowMs() + RETRY_MS);
    } finally {
      running.delete(name);
    }
  };
  return () => {
    const { panel, refresh } = state();
    if (refresh !== refreshed) dueMs.clear();
    refreshed = refresh;
    // Health and identity are in the title of every panel.
    const wanted = new Set<Source | 'logs'>([...PANEL_SOURCES[panel], 'identity', 'health']);
    for (const name of wanted)
      if (name !== 'logs' && !running.has(name) && nowMs() >= (dueMs.get(name) ?? 0)) void ask(name);
  };
}

/** followLogs keeps the journal open until the signal aborts; when it breaks it is opened again. Never rejects. */
export async function followLogs({ node, change, nowMs, signal }: AskParts): Promise<void> {
  let lines = FIRST_LINES;
  while (!signal.aborted) {
    try {
      for await (const entries of node.logs.read({ lines, follow: true, boot: 0 })) {
        if (signal.aborted) return;
        change((data) => logged(data, entries, nowMs()));
      }
      lines = 0;
    } catch (reason) {
      if (signal.aborted) return;
      change((data) => failed(data, 'logs', messageOf(reason)));
    }
    await pause(RETRY_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
