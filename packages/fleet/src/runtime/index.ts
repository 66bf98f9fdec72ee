export { fleetDecide } from './fleet-decide.ts';
export { METRICS, type MetricName, type MetricSpec } from './observe/metric-list.ts';
export type { Decide } from './operator.ts';
export { type RunOperatorOptions, runOperator } from './run-operator.ts';
