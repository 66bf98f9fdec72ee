import { messageOf, PlinthError } from '@plinth/base';
import type { Decision } from '../decide/decision.ts';
import type { PolicySpec } from '../objects/index.ts';
import type { NodeDriver } from './drive/node-driver.ts';
import type { Metrics } from './observe/metrics.ts';
import { openTokenBucket, type TokenBucket } from './queue/token-bucket.ts';
import { openWorkQueue, type WorkQueue } from './queue/work-queue.ts';
import type { Writer } from './write/writer.ts';

export interface LooksParts {
  readonly writer: Writer;
  readonly driver: NodeDriver;
  readonly metrics: Metrics;
  isSynced(): boolean;
  policyOf(name: string): PolicySpec | undefined;
  wantPods(nodes: readonly string[]): void;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly signal: AbortSignal;
  say(text: string): void;
}

/** What one look led to, and the policy whose bound on evictions counts for it. */
export interface Looked {
  readonly decision: Decision;
  readonly policy: string | undefined;
}

const NOT_SYNCED_MS = 200;
const STALE_MS = 100;

/** openLooks gives queues in which a look is a decision that is then carried out: its writes in their order, then its calls. */
export function openLooks(parts: LooksParts) {
  const { writer, driver, metrics, nowMs, random, signal, say } = parts;
  const buckets = new Map<string, { readonly rate: number; readonly bucket: TokenBucket }>();

  /** Pods are moved no faster than the policy of their node has it; without a policy, one a second. */
  function evictionsOf(policy = ''): TokenBucket {
    const rate = parts.policyOf(policy)?.churn.maxEvictionsPerSecond ?? 1;
    const known = buckets.get(policy);
    if (known?.rate === rate) return known.bucket;
    const bucket = openTokenBucket(rate, Math.max(1, rate), () => performance.now());
    buckets.set(policy, { rate, bucket });
    return bucket;
  }

  return (queue: string, width: number, look: (name: string) => Looked): WorkQueue =>
    openWorkQueue({
      ...{ width, nowMs, random },
      async work(name) {
        if (!parts.isSynced()) return nowMs() + NOT_SYNCED_MS;
        const began = performance.now();
        const { decision, policy } = look(name);
        const outcome = await writer.write(decision.writes, evictionsOf(policy), signal);
        metrics.observe('plinth_look_seconds', (performance.now() - began) / 1000, { queue });
        if (outcome.kind === 'stale') {
          metrics.add('plinth_writes_stale_total', { queue });
          return nowMs() + STALE_MS;
        }
        for (const { node, call } of decision.calls) driver.call(node, call);
        if (decision.lookAtPods) parts.wantPods(decision.lookAtPods);
        return decision.lookAgainAtMs;
      },
      failed(name, reason) {
        if (signal.aborted) return;
        const { code } = PlinthError.from(reason, 'kube/failed', `Cannot look at ${name}`);
        metrics.add('plinth_looks_failed_total', { queue, code });
        say(`${queue} ${name}: ${messageOf(reason)} [${code}]`);
      },
    });
}
