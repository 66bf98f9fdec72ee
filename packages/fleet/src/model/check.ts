import type { Bounds, ModelMutant } from './abstract.ts';
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
    isReplaced: false,
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
  {
    name: '2 nodes, 1 slot, 1 leader, 1 crash, replaced',
    bounds: { ...ONE, nodes: 2, crashes: 1, isReplaced: true },
    asksEnd: true,
  },
  {
    name: '2 nodes, 2 slots, 1 leader, replaced',
    bounds: { ...ONE, nodes: 2, slots: 2, isReplaced: true },
    asksEnd: true,
  },
  { name: '1 node, 2 leaders, replaced', bounds: { ...ONE, leaders: 2, isReplaced: true }, asksEnd: true },
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
  {
    name: '1 node, 2 leaders, 1 crash, replaced',
    bounds: { ...ONE, leaders: 2, crashes: 1, isReplaced: true },
    asksEnd: true,
  },
  {
    name: '2 nodes, 1 slot, 2 leaders, replaced',
    bounds: { ...ONE, nodes: 2, leaders: 2, isReplaced: true },
    asksEnd: false,
  },
  { name: '2 nodes, 1 slot, 2 leaders', bounds: { ...ONE, nodes: 2, leaders: 2 }, asksEnd: false },
];

/** A mutant, and the rule it breaks. */
export interface MutantRun extends Run {
  readonly rule: string;
}

function mutantRun(mutant: ModelMutant, rule: string, bounds: Partial<Bounds> = {}): MutantRun {
  return { name: mutant, rule, bounds: { ...ONE, ...bounds, mutant }, asksEnd: false };
}

/** Each of them leaves out one rule, and has to be caught. */
export const MUTANT_RUNS: readonly MutantRun[] = [
  mutantRun('no-ledger', 'S13', { nodes: 2 }),
  mutantRun('flag', 'S6'),
  mutantRun('cordon-bit', 'S7', { people: 1 }),
  mutantRun('no-fence', 'S4', { leaders: 2 }),
  mutantRun('yields-early', 'S5'),
  mutantRun('permits-early', 'S9', { isKubernetes: true }),
  mutantRun('starts-in-switch', 'S9', { isKubernetes: true, isUrgent: true }),
  mutantRun('permits-in-act', 'S9', { isKubernetes: true, isUrgent: true }),
  mutantRun('ends-with-node', 'S14', { nodes: 2, isReplaced: true }),
  mutantRun('counts-twice', 'S14', { nodes: 2, slots: 2, isReplaced: true }),
  mutantRun('gives-up-late', 'S14', { leaders: 2, isReplaced: true }),
  mutantRun('deletes-unmarked', 'S14', { nodes: 2, isReplaced: true }),
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
