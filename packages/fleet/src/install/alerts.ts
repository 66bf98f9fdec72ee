/** One alert: when it fires, and what a person does then. */
export interface Alert {
  readonly name: string;
  readonly expression: string;
  /** How long it has to hold: "15m". */
  readonly lasts: string;
  readonly severity: 'warning' | 'critical';
  /** What is the case; labels as Prometheus writes them. */
  readonly summary: string;
  /** Where to look, and what to do. */
  readonly action: string;
}

/** The alerts of the operator. A test holds the metrics they ask for against those that it has. */
export const ALERTS: readonly Alert[] = [
  {
    name: 'PlinthFleetOperatorAbsent',
    expression: 'absent(plinth_fleet_leading == 1)',
    lasts: '5m',
    severity: 'critical',
    summary: 'No fleet operator leads, so no node is updated and no updated node is looked after.',
    action: 'Look at "plinth fleet status" and the logs of Deployment plinth-fleet.',
  },
  {
    name: 'PlinthRolloutHalted',
    expression: 'plinth_rollout_halted == 1',
    lasts: '0m',
    severity: 'critical',
    summary: 'The rollout of policy {{ $labels.policy }} is halted and waits for a person.',
    action:
      'Look at "plinth rollout status {{ $labels.policy }}", then promote, abort, or make a newer release.',
  },
  {
    name: 'PlinthRolloutDeadlineAtRisk',
    expression: 'plinth_rollout_condition{condition="DeadlineAtRisk"} == 1',
    lasts: '15m',
    severity: 'warning',
    summary: 'The rollout of policy {{ $labels.policy }} will not end before its deadline.',
    action:
      '"plinth rollout status {{ $labels.policy }}" names the bound that holds it back and what would suffice.',
  },
  {
    name: 'PlinthDrainBlocked',
    expression: 'sum by (policy, reason) (plinth_drain_blocked) > 0',
    lasts: '1h',
    severity: 'warning',
    summary: 'Nodes of policy {{ $labels.policy }} cannot be emptied: {{ $labels.reason }}.',
    action: '"plinth rollout status {{ $labels.policy }}" names node, pod and budget.',
  },
  {
    name: 'PlinthConfigDrifted',
    expression: 'sum by (policy) (plinth_config_drifted_nodes) > 0',
    lasts: '30m',
    severity: 'warning',
    summary: '{{ $value }} nodes of policy {{ $labels.policy }} have another config than their release.',
    action:
      '"plinth fleet status --nodes" names what differs, "plinth config history" on the node who changed it.',
  },
  {
    name: 'PlinthNodeUnreachable',
    expression: 'sum by (policy) (plinth_rollout_nodes{phase="Unreachable"}) > 0',
    lasts: '5m',
    severity: 'critical',
    summary: '{{ $value }} nodes of policy {{ $labels.policy }} did not come back from an update.',
    action: 'Look at their consoles. Their slots stay taken until they come back or the Nodes are deleted.',
  },
  {
    name: 'PlinthNodesQuarantined',
    expression: 'sum by (policy) (plinth_rollout_nodes{phase="Quarantined"}) > 0',
    lasts: '5m',
    severity: 'warning',
    summary:
      '{{ $value }} nodes of policy {{ $labels.policy }} failed on the release and are back on the one before.',
    action: '"plinth fleet status --nodes" says why; they are not brought to this release again.',
  },
  {
    name: 'PlinthSlotHeldLong',
    expression: 'plinth_ledger_oldest_seconds > 7200',
    lasts: '10m',
    severity: 'warning',
    summary: 'A node of ledger {{ $labels.ledger }} has held a slot for more than two hours.',
    action: 'Look at "plinth fleet status --nodes": what its phase waits for.',
  },
  {
    name: 'PlinthGateErroring',
    expression: 'plinth_gate_state == -1',
    lasts: '15m',
    severity: 'warning',
    summary: 'HealthGate {{ $labels.gate }} cannot be asked, which holds rollouts back as a failure does.',
    action: 'Look at its address from inside the cluster.',
  },
  {
    name: 'PlinthNodesSilent',
    expression: 'plinth_nodes_silent > 0',
    lasts: '30m',
    severity: 'warning',
    summary: 'plinthd of {{ $value }} nodes does not answer the fleet operator.',
    action: 'Look at port 7546 between the operator and the nodes, and when its certificate ends.',
  },
  {
    name: 'PlinthObjectsUnreadable',
    expression: 'plinth_objects_unreadable > 0',
    lasts: '15m',
    severity: 'warning',
    summary: '{{ $value }} objects do not follow their schema and are left out.',
    action: '"plinth fleet status" names them; an older or newer program wrote them.',
  },
  {
    name: 'PlinthFleetLooksFailing',
    expression: 'sum by (queue, code) (rate(plinth_looks_failed_total[15m])) > 0.1',
    lasts: '30m',
    severity: 'warning',
    summary: 'The fleet operator keeps failing at {{ $labels.queue }}: {{ $labels.code }}.',
    action: 'Run "plinth errors {{ $labels.code }}" and look at its logs.',
  },
  {
    name: 'PlinthFleetEventLoopSlow',
    expression: 'max by (pod) (plinth_event_loop_lag_seconds{quantile="0.99"}) > 0.5',
    lasts: '10m',
    severity: 'warning',
    summary: 'The fleet operator {{ $labels.pod }} is late by half a second and more.',
    action: 'Give it more processor time.',
  },
];
