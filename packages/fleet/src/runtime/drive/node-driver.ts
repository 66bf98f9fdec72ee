import { PlinthError } from '@plinth/base';
import type { NodeCall } from '../../decide/decision.ts';
import type { Reason, Target } from '../../objects/index.ts';
import type { Heard, StoredNodeUpdate } from '../../view/view.ts';
import type { Wait } from '../queue/wait.ts';
import type { NodeLinks } from './node-links.ts';
import { askNode, performCall } from './perform-call.ts';
import { makeReport } from './read-report.ts';

export interface NodeDriverParts {
  readonly links: NodeLinks;
  nodeUpdate(node: string): StoredNodeUpdate | undefined;
  /** A node said something. */
  hear(node: string, heard: Omit<Heard, 'after'>): void;
  /** The documents of the machine config that a target brings. */
  documentsOf(target: Target): Promise<Uint8Array>;
  /** A call ended: "ok", or the code of its error. */
  called(call: string, result: string): void;
  readonly nowMs: () => number;
  readonly wait: Wait;
  readonly signal: AbortSignal;
  /** Nodes called at the same time, staging aside. */
  readonly atOnce?: number;
  /** A node is not asked more often. */
  readonly spacingMs?: number;
}

export interface NodeDriver {
  /** Has plinthd do something; what it then says is kept with the node. Asked for again while it is at it, it is done once. */
  call(node: string, call: NodeCall): void;
  readonly running: number;
  /** Nodes that did not answer last time. */
  readonly silent: ReadonlySet<string>;
}

interface Lane {
  readonly wanted: Map<string, NodeCall>;
  running: boolean;
}

const HOT_LAYER_MS = 15 * 60_000;
/** Nodes of which it is known when they were asked. */
const REMEMBERED = 1_000;

/** openNodeDriver calls nodes: each has one lane for brief calls and one for staging, which takes minutes. */
export function openNodeDriver(parts: NodeDriverParts): NodeDriver {
  const { links, nowMs, signal, documentsOf, atOnce = 64, spacingMs = 2_000 } = parts;
  const lanes = new Map<string, Lane>();
  const silent = new Set<string>();
  /** Of nodes that were called lately. */
  const askedAtMs = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  async function place<T>(work: () => Promise<T>): Promise<T> {
    if (busy >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    busy++;
    try {
      return await work();
    } finally {
      busy--;
      waiting.shift()?.();
    }
  }

  /** @returns why the node did not do it */
  async function perform(node: string, call: NodeCall): Promise<Reason | undefined> {
    const { spec, status } = parts.nodeUpdate(node) ?? {};
    if (!spec || signal.aborted) return undefined;
    // It waited for its turn: a node that gave its slot back meanwhile is not switched.
    if (call.call === 'upgrade-kubernetes' && status?.progress?.phase !== 'Upgrading') return undefined;
    try {
      await performCall(links.to(node), call, spec, { hotLayerMs: HOT_LAYER_MS, documentsOf });
      parts.called(call.call, 'ok');
      return undefined;
    } catch (reason) {
      const error = PlinthError.from(reason, 'api/failed', `Cannot ${call.call} node ${node}`);
      parts.called(call.call, error.code);
      return { code: error.code, text: error.message.slice(0, 1000) };
    }
  }

  async function report(node: string, failure: Reason | undefined): Promise<void> {
    const spec = parts.nodeUpdate(node)?.spec;
    if (!spec) return;
    const { target, nodeUid } = spec;
    // Of when it was asked: what it says may be older than when it is read, never than when it was sent.
    const sentMs = nowMs();
    const documents = await documentsFor(target);
    let answers: Awaited<ReturnType<typeof askNode>>;
    try {
      answers = await askNode(links.to(node), target, documents.known);
      silent.delete(node);
    } catch (reason) {
      // Nothing was heard, so nothing is said: the last report stays, with its time.
      silent.add(node);
      parts.called('report', PlinthError.from(reason, 'api/failed', 'Cannot ask').code);
      return;
    }
    if (signal.aborted) return;
    parts.hear(node, {
      ...{ nodeUid, release: target?.release },
      report: makeReport(answers, target, failure ?? documents.failure, sentMs),
    });
  }

  /** A node is heard also where its config cannot be looked up; then it is told why it does not go on. */
  async function documentsFor(target: Target | undefined): Promise<{ known?: Uint8Array; failure?: Reason }> {
    if (!target || target.configDigest === '') return {};
    try {
      return { known: await documentsOf(target) };
    } catch (reason) {
      const { code, message } = PlinthError.from(reason, 'fleet/config-documents', 'Cannot read the config');
      return { failure: { code, text: message.slice(0, 1000) } };
    }
  }

  async function runLane(key: string, node: string, lane: Lane): Promise<void> {
    while (lane.wanted.size > 0 && !signal.aborted) {
      const [name, call] = lane.wanted.entries().next().value ?? [];
      if (name === undefined || call === undefined) break;
      lane.wanted.delete(name);
      const isBrief = call.call !== 'stage';
      const earlyMs = (askedAtMs.get(node) ?? 0) + spacingMs - nowMs();
      if (earlyMs > 0 && call.call === 'report') await parts.wait(earlyMs, signal);
      if (signal.aborted) break;
      askedAtMs.delete(node);
      askedAtMs.set(node, nowMs());
      if (askedAtMs.size > REMEMBERED) askedAtMs.delete(askedAtMs.keys().next().value ?? '');
      const whole = async () => report(node, await perform(node, call));
      await (isBrief ? place(whole) : whole());
    }
    lane.running = false;
    lanes.delete(key);
  }

  return {
    silent,
    get running() {
      return lanes.size;
    },
    call(node, call) {
      const key = call.call === 'stage' ? `stage ${node}` : node;
      const lane = lanes.get(key) ?? { wanted: new Map(), running: false };
      lanes.set(key, lane);
      lane.wanted.set(call.call, call);
      if (lane.running) return;
      lane.running = true;
      runLane(key, node, lane).catch(() => {
        lane.running = false;
        lanes.delete(key);
      });
    },
  };
}
