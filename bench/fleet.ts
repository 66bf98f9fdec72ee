// A rollout by the real operator at a real API server and etcd, over nodes that speak plinthd's API, watched by the auditor:
// node bench/fleet.ts [--nodes N] [--pods N] [--unavailable N|P%] [--kill]
import { parseArgs } from 'node:util';
import { printConditions, printTable, printTargets, type Target } from './lib/figures.ts';
import { interrupted } from './lib/interrupted.ts';
import { raceFleet } from './lib/race-fleet.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '200' },
    pods: { type: 'string', default: '5' },
    unavailable: { type: 'string', default: '10%' },
    kill: { type: 'boolean', default: false },
  },
});
const nodes = Number(values.nodes);
const run = await raceFleet({
  ...{ nodes, podsPerNode: Number(values.pods), signal: interrupted },
  maxUnavailable: values.unavailable.endsWith('%') ? values.unavailable : Number(values.unavailable),
  kills: values.kill,
});

printTable(
  `Calls of the operator for each of ${nodes} nodes, ${values.pods} pods each`,
  ['call', 'all', 'a node'],
  run.calls.map(({ call, count }) => [call, count, (count / nodes).toFixed(2)]),
);
printTable(
  'The rollout',
  ['figure', 'value'],
  [
    ['nodes at once allowed', run.allowed],
    ['nodes at once, mean past the floors of the waves', run.busyMean.toFixed(1)],
    ['starts', run.starts],
    ['first admission after the release was named, s', (run.firstAdmissionMs / 1000).toFixed(1)],
    ['whole rollout, s', (run.rolloutMs / 1000).toFixed(1)],
    ['operator, processor s', (run.processorMs / 1000).toFixed(1)],
    ['operator, most memory MB', (run.memoryBytes / 1e6).toFixed(0)],
    ['event loop lag p99, worst half-minute, ms', (run.lagSeconds * 1000).toFixed(0)],
    ['operators that ended by themselves', run.ends.length],
    ['changes the auditor looked at', run.observed],
    ...(run.recoveryMs === undefined
      ? []
      : [['leader killed: first write of the next, s', (run.recoveryMs / 1000).toFixed(1)]]),
  ],
);
for (const end of run.ends) console.log(`An operator ended by itself: ${end}`);
for (const { rule, text } of run.violations.slice(0, 20)) console.log(`VIOLATION ${rule}: ${text}`);
const callsPerNode = run.calls.reduce((sum, { count }) => sum + count, 0) / nodes;
const targets: Target[] = [
  { what: 'violations', value: run.violations.length, atMost: 0, unit: '' },
  { what: 'starts over one a node', value: run.starts - nodes, atMost: 0, unit: '' },
  { what: 'calls a node', value: callsPerNode, atMost: 50, unit: '' },
  { what: 'memory', value: run.memoryBytes / 1e6, atMost: 250, unit: 'MB' },
  { what: 'event loop lag p99', value: run.lagSeconds * 1000, atMost: 100, unit: 'ms' },
  {
    what: 'idle share of the allowed slots',
    value: 100 * (1 - run.busyMean / run.allowed),
    atMost: 10,
    unit: '%',
  },
  ...(run.recoveryMs === undefined
    ? []
    : [{ what: 'recovery', value: run.recoveryMs / 1000, atMost: 20, unit: 's' }]),
];
printTargets(targets);
printConditions([]);
