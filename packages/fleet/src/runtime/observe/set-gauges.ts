import type { monitorEventLoopDelay } from 'node:perf_hooks';
import { driftOf } from '../../decide/drift.ts';
import type { FleetView } from '../../view/view.ts';
import type { Metrics } from './metrics.ts';

export interface GaugeFacts {
  readonly view: FleetView;
  readonly silent: number;
  readonly lists: number;
  readonly unreadable: number;
  readonly depths: Readonly<Record<string, number>>;
  readonly lag: ReturnType<typeof monitorEventLoopDelay>;
}

/** setGauges writes down what is true now; asked before each scrape. */
export function setGauges(
  metrics: Metrics,
  { view, silent, lists, unreadable, depths, lag }: GaugeFacts,
): void {
  metrics.set('plinth_fleet_synced', view.isSynced ? 1 : 0);
  metrics.set('plinth_nodes_silent', silent);
  metrics.set('plinth_relists', lists);
  metrics.set('plinth_objects_unreadable', unreadable);
  for (const [queue, depth] of Object.entries(depths)) metrics.set('plinth_queue_depth', depth, { queue });
  setNodes(metrics, view);
  setRollouts(metrics, view);
  metrics.clear('plinth_ledger_entries');
  metrics.clear('plinth_ledger_oldest_seconds');
  for (const { name: ledger, status } of view.ledgers.values()) {
    const entries = status?.entries ?? [];
    metrics.set('plinth_ledger_entries', entries.length, { ledger });
    const oldest = Math.min(...entries.map(({ since }) => Date.parse(since)), view.nowMs);
    metrics.set('plinth_ledger_oldest_seconds', (view.nowMs - oldest) / 1000, { ledger });
  }
  metrics.clear('plinth_gate_state');
  for (const { gate, state } of view.gateResults.values())
    metrics.set('plinth_gate_state', { pass: 1, fail: 0, unknown: -1 }[state], { gate });
  for (const [quantile, value] of [
    ['0.5', lag.percentile(50)],
    ['0.99', lag.percentile(99)],
    ['1', lag.max],
  ] as const)
    metrics.set('plinth_event_loop_lag_seconds', value / 1e9, { quantile });
  metrics.set('process_resident_memory_bytes', residentBytes());
  const { user, system } = process.cpuUsage();
  metrics.set('process_cpu_seconds_total', (user + system) / 1e6);
}

/** NaN where /proc is not there to tell. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return Number.NaN;
  }
}

function setNodes(metrics: Metrics, view: FleetView): void {
  metrics.clear('plinth_rollout_nodes');
  metrics.clear('plinth_drain_blocked');
  metrics.clear('plinth_config_drifted_nodes');
  for (const update of view.nodeUpdates.values()) {
    const { spec, status } = update;
    const { policy } = spec;
    if (driftOf(update).length > 0) metrics.add('plinth_config_drifted_nodes', { policy });
    const { phase = 'Idle', reason } = status?.progress ?? {};
    metrics.add('plinth_rollout_nodes', { policy, phase });
    if (phase === 'Draining' && reason) metrics.add('plinth_drain_blocked', { policy, reason: reason.code });
  }
}

function setRollouts(metrics: Metrics, view: FleetView): void {
  for (const name of [
    ...(['plinth_rollout_bound', 'plinth_rollout_need', 'plinth_rollout_concurrency'] as const),
    ...(['plinth_rollout_eta_seconds', 'plinth_rollout_deadline_seconds', 'plinth_rollout_halted'] as const),
    'plinth_rollout_condition' as const,
  ])
    metrics.clear(name);
  for (const { spec, status } of view.rollouts.values()) {
    if (!status || ['Complete', 'Superseded', 'Stopped'].includes(status.phase)) continue;
    const { policy } = spec;
    if (status.bound) {
      metrics.set('plinth_rollout_bound', status.bound.value, { policy, bound: status.bound.name });
      metrics.set('plinth_rollout_need', status.bound.need, { policy });
    }
    metrics.set('plinth_rollout_concurrency', status.concurrency, { policy });
    metrics.set('plinth_rollout_halted', status.phase === 'Halted' ? 1 : 0, { policy });
    if (status.etaSeconds !== undefined)
      metrics.set('plinth_rollout_eta_seconds', status.etaSeconds, { policy });
    const deadlineMs = Date.parse(status.deadline);
    if (Number.isFinite(deadlineMs))
      metrics.set('plinth_rollout_deadline_seconds', (deadlineMs - view.nowMs) / 1000, { policy });
    for (const { type, status: is } of status.conditions)
      metrics.set('plinth_rollout_condition', is === 'True' ? 1 : 0, { policy, condition: type });
  }
}
