import type { Bounds } from './abstract.ts';
import { type Exploration, explore } from './explore.ts';

// Looks at every order of steps of the protocol, in several sizes, and at its mutants: node packages/fleet/src/model/check.ts

const ONE: Bounds = {
  ...{
    nodes: 1,
    slots: 1,
    leaders: 1,
    crashes: 0,
    people: 0,
    windows: 0,
    isUrgent: false,
    isKubernetes: false,
  },
  mutant: 'none',
};

/** One run: a size, and whether it is asked that the end stays in reach. */
export interface Run {
  readonly name: string;
  readonly bounds: Bounds;
  readonly asksEnd: boolean;
}

/** The sizes that are looked at. Each keeps everything of the protocol, and bounds how often something outside it happens. */
export const RUNS: readonly Run[] = [
  {
    name: '1 node, 1 leader, 2 crashes, urgent release, person, window',
    bounds: { ...ONE, crashes: 2, people: 1, windows: 2, isUrgent: true },
    asksEnd: true,
  },
  { name: '1 node, 2 leaders', bounds: { ...ONE, leaders: 2 }, asksEnd: true },
  { name: '2 nodes, 1 slot, 1 leader', bounds: { ...ONE, nodes: 2 }, asksEnd: true },
  {
    name: '1 node, 1 leader, 1 crash, urgent release, Kubernetes',
    bounds: { ...ONE, crashes: 1, isUrgent: true, isKubernetes: true },
    asksEnd: true,
  },
];

/** Larger ones, for a machine with time: --long. */
const LONG_RUNS: readonly Run[] = [
  { name: '1 node, 2 leaders, 1 crash', bounds: { ...ONE, leaders: 2, crashes: 1 }, asksEnd: true },
  { name: '2 nodes, 1 slot, 1 leader, 1 crash', bounds: { ...ONE, nodes: 2, crashes: 1 }, asksEnd: false },
  {
    name: '1 node, 2 leaders, Kubernetes',
    bounds: { ...ONE, leaders: 2, isKubernetes: true },
    asksEnd: false,
  },
  {
    name: '2 nodes, 1 slot, 1 leader, Kubernetes',
    bounds: { ...ONE, nodes: 2, isKubernetes: true },
    asksEnd: false,
  },
  { name: '2 nodes, 1 slot, 2 leaders', bounds: { ...ONE, nodes: 2, leaders: 2 }, asksEnd: false },
];

/** Each of them leaves out one rule, and has to be caught. */
export const MUTANT_RUNS: readonly Run[] = [
  { name: 'no-ledger', bounds: { ...ONE, nodes: 2, leaders: 1, mutant: 'no-ledger' }, asksEnd: false },
  { name: 'flag', bounds: { ...ONE, mutant: 'flag' }, asksEnd: false },
  { name: 'cordon-bit', bounds: { ...ONE, people: 1, mutant: 'cordon-bit' }, asksEnd: false },
  { name: 'no-fence', bounds: { ...ONE, leaders: 2, mutant: 'no-fence' }, asksEnd: false },
  { name: 'yields-early', bounds: { ...ONE, mutant: 'yields-early' }, asksEnd: false },
  {
    name: 'permits-early',
    bounds: { ...ONE, isKubernetes: true, mutant: 'permits-early' },
    asksEnd: false,
  },
  {
    name: 'starts-in-switch',
    bounds: { ...ONE, isKubernetes: true, isUrgent: true, mutant: 'starts-in-switch' },
    asksEnd: false,
  },
];

const LIMIT = 1_000_000;

function line({ name, bounds, asksEnd }: Run): boolean {
  const beganMs = performance.now();
  const found: Exploration = explore(bounds, { limit: LIMIT, asksEnd });
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  const size = `${found.states} states, ${found.steps} steps, depth ${found.depth}, ${seconds} s`;
  if (found.violation)
    console.log(`${name}: ${found.violation.rule} in ${found.violation.way.length} steps (${size})`);
  else
    console.log(
      `${name}: ${found.isCut ? 'cut, nothing found' : 'no rule broken'}${
        found.stuck === undefined ? '' : `, ${found.stuck} states cannot finish`
      } (${size})`,
    );
  if (process.argv.includes('--ways') && found.violation)
    console.log(`  ${found.violation.way.join('\n  ')}`);
  const isMutant = bounds.mutant !== 'none';
  return isMutant ? found.violation !== undefined : found.violation === undefined && (found.stuck ?? 0) === 0;
}

if (import.meta.main) {
  const runs = [...RUNS, ...(process.argv.includes('--long') ? LONG_RUNS : []), ...MUTANT_RUNS];
  const isGood = runs.map(line).every(Boolean);
  process.exitCode = isGood ? 0 : 1;
}
