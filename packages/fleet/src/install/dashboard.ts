/** One picture of the dashboard. */
interface Panel {
  readonly title: string;
  readonly type: 'timeseries' | 'stat';
  readonly unit: string;
  /** Expression and what its lines are called. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
}

const ofPolicy = '{policy=~"$policy"}';

/** What is looked at first comes first. A test holds the metrics against those that the operator has. */
export const PANELS: readonly Panel[] = [
  {
    ...{ title: 'Halted rollouts', type: 'stat', unit: 'none' },
    queries: [[`sum(plinth_rollout_halted${ofPolicy})`, 'halted']],
  },
  {
    ...{ title: 'Time left', type: 'stat', unit: 's' },
    queries: [[`plinth_rollout_eta_seconds${ofPolicy}`, '{{policy}}']],
  },
  {
    ...{ title: 'Time to the deadline', type: 'stat', unit: 's' },
    queries: [[`plinth_rollout_deadline_seconds${ofPolicy}`, '{{policy}}']],
  },
  {
    ...{ title: 'Nodes by phase', type: 'timeseries', unit: 'none' },
    queries: [[`sum by (phase) (plinth_rollout_nodes${ofPolicy})`, '{{phase}}']],
  },
  {
    ...{ title: 'At once: allowed, needed, and the bound', type: 'timeseries', unit: 'none' },
    queries: [
      [`plinth_rollout_concurrency${ofPolicy}`, 'allowed {{policy}}'],
      [`plinth_rollout_need${ofPolicy}`, 'needed {{policy}}'],
      [`plinth_rollout_bound${ofPolicy}`, 'bound {{bound}} {{policy}}'],
    ],
  },
  {
    ...{ title: 'Slots that are given', type: 'timeseries', unit: 'none' },
    queries: [['plinth_ledger_entries', '{{ledger}}']],
  },
  {
    ...{ title: 'Time in a phase, 90th percentile', type: 'timeseries', unit: 's' },
    queries: [
      ['histogram_quantile(0.9, sum by (le, phase) (rate(plinth_slot_seconds_bucket[1h])))', '{{phase}}'],
    ],
  },
  {
    ...{ title: 'Drains that wait', type: 'timeseries', unit: 'none' },
    queries: [[`sum by (reason) (plinth_drain_blocked${ofPolicy})`, '{{reason}}']],
  },
  {
    ...{ title: 'Evictions a second', type: 'timeseries', unit: 'ops' },
    queries: [['sum by (code) (rate(plinth_evictions_total[5m]))', '{{code}}']],
  },
  {
    ...{ title: 'Conditions', type: 'timeseries', unit: 'none' },
    queries: [[`plinth_rollout_condition${ofPolicy}`, '{{condition}} {{policy}}']],
  },
  {
    ...{ title: 'Gates: 1 passes, 0 fails, -1 cannot be asked', type: 'timeseries', unit: 'none' },
    queries: [['plinth_gate_state', '{{gate}}']],
  },
  {
    ...{ title: 'Calls of nodes a second', type: 'timeseries', unit: 'ops' },
    queries: [['sum by (call, result) (rate(plinth_node_calls_total[5m]))', '{{call}} {{result}}']],
  },
  {
    ...{ title: 'Writes to the API server a second', type: 'timeseries', unit: 'ops' },
    queries: [['sum by (verb, code) (rate(plinth_api_calls_total[5m]))', '{{verb}} {{code}}']],
  },
  {
    ...{ title: 'Looks, 99th percentile', type: 'timeseries', unit: 's' },
    queries: [
      ['histogram_quantile(0.99, sum by (le, queue) (rate(plinth_look_seconds_bucket[5m])))', '{{queue}}'],
    ],
  },
  {
    ...{ title: 'Event loop, late by', type: 'timeseries', unit: 's' },
    queries: [['plinth_event_loop_lag_seconds', '{{quantile}} {{pod}}']],
  },
  {
    ...{ title: 'Memory', type: 'timeseries', unit: 'bytes' },
    queries: [['process_resident_memory_bytes{container="operator"}', '{{pod}}']],
  },
];

const COLUMNS = 3;
const WIDTH = 24 / COLUMNS;
const HEIGHT = 8;

/** makeDashboard gives the dashboard as Grafana imports it. */
export function makeDashboard(): object {
  const datasource = { type: 'prometheus', uid: '$datasource' };
  return {
    title: 'Plinth fleet',
    uid: 'plinth-fleet',
    schemaVersion: 39,
    tags: ['plinth'],
    time: { from: 'now-6h', to: 'now' },
    refresh: '30s',
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          ...{ name: 'policy', type: 'query', datasource, includeAll: true, multi: true, refresh: 2 },
          query: 'label_values(plinth_rollout_nodes, policy)',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: PANELS.map(({ title, type, unit, queries }, index) => ({
      ...{ id: index + 1, title, type, datasource },
      gridPos: {
        ...{ x: (index % COLUMNS) * WIDTH, y: Math.floor(index / COLUMNS) * HEIGHT },
        ...{ w: WIDTH, h: HEIGHT },
      },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: queries.map(([expr, legendFormat], at) => ({
        ...{ refId: String.fromCharCode(65 + at), datasource, expr, legendFormat },
      })),
    })),
  };
}
