/** One metric of the operator. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
}

// Labels have few values each: policies, phases, codes. Nothing is labelled by node or pod: 5,000 nodes would be 5,000 series each.
export const METRICS = {
  plinth_fleet_leading: { type: 'gauge', help: 'Whether this process leads.', labels: [] },
  plinth_fleet_synced: { type: 'gauge', help: 'Whether every kind was listed since it leads.', labels: [] },
  plinth_rollout_nodes: { type: 'gauge', help: 'Nodes of a policy by phase.', labels: ['policy', 'phase'] },
  plinth_rollout_bound: {
    ...{ type: 'gauge', help: 'Value of the bound that holds a rollout back now.' },
    labels: ['policy', 'bound'],
  },
  plinth_rollout_need: {
    ...{ type: 'gauge', help: 'Nodes at once that the deadline takes.', labels: ['policy'] },
  },
  plinth_rollout_concurrency: { type: 'gauge', help: 'Nodes at once that are allowed.', labels: ['policy'] },
  plinth_rollout_eta_seconds: { type: 'gauge', help: 'Estimated time to the end.', labels: ['policy'] },
  plinth_rollout_deadline_seconds: {
    ...{ type: 'gauge', help: 'Time until the deadline; negative when it is over.', labels: ['policy'] },
  },
  plinth_rollout_condition: {
    ...{ type: 'gauge', help: 'Whether a condition of a rollout is True.', labels: ['policy', 'condition'] },
  },
  plinth_rollout_halted: { type: 'gauge', help: 'Whether a rollout is halted.', labels: ['policy'] },
  plinth_slot_seconds: {
    ...{ type: 'histogram', help: 'Time that nodes spent in a phase.', labels: ['phase'] },
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200],
  },
  plinth_drain_blocked: {
    ...{ type: 'gauge', help: 'Nodes whose drain waits, by reason.', labels: ['policy', 'reason'] },
  },
  plinth_config_drifted_nodes: {
    ...{ type: 'gauge', help: 'Nodes whose config is not as their release has it.', labels: ['policy'] },
  },
  plinth_evictions_total: {
    type: 'counter',
    help: 'Evictions by the status they were answered.',
    labels: ['code'],
  },
  plinth_ledger_entries: { type: 'gauge', help: 'Slots that are given.', labels: ['ledger'] },
  plinth_ledger_oldest_seconds: { type: 'gauge', help: 'Age of the oldest slot.', labels: ['ledger'] },
  plinth_nodes_silent: { type: 'gauge', help: 'Nodes whose plinthd did not answer last time.', labels: [] },
  plinth_node_calls_total: {
    ...{ type: 'counter', help: 'Calls of plinthd by outcome.', labels: ['call', 'result'] },
  },
  plinth_api_calls_total: {
    ...{ type: 'counter', help: 'Writes to the API server by their status.', labels: ['verb', 'code'] },
  },
  plinth_relists: { type: 'gauge', help: 'Lists read since the start, of all kinds.', labels: [] },
  plinth_objects_unreadable: { type: 'gauge', help: 'Objects that do not follow their schema.', labels: [] },
  plinth_queue_depth: { type: 'gauge', help: 'Keys that wait for a look.', labels: ['queue'] },
  plinth_look_seconds: {
    ...{ type: 'histogram', help: 'Time of one look, its writes included.', labels: ['queue'] },
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  },
  plinth_looks_failed_total: { type: 'counter', help: 'Looks that failed.', labels: ['queue', 'code'] },
  plinth_writes_stale_total: {
    ...{ type: 'counter', help: 'Writes that were refused since the object had changed.', labels: ['queue'] },
  },
  plinth_gate_state: { type: 'gauge', help: '1 passes, 0 fails, -1 could not be asked.', labels: ['gate'] },
  plinth_event_loop_lag_seconds: {
    ...{ type: 'gauge', help: 'How late the event loop was in the last minute.', labels: ['quantile'] },
  },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process.', labels: [] },
  process_cpu_seconds_total: { type: 'counter', help: 'Processor time of the process.', labels: [] },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
