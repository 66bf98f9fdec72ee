import fc from 'fast-check';
import type { Character } from '../testing/fake-machine.ts';
import type { Kind } from '../testing/fake-objects.ts';
import type { Simulation } from './simulation.ts';
import { joinNode, OTHER_POLICY, type Parts, POLICY, type World } from './world.ts';

/** One step of one party. Numbers are taken modulo what there is. */
export type Move =
  | { readonly move: 'look-node'; readonly operator: number; readonly node: number; readonly writes: number }
  /** An operator that hears everything at once works on one node, so runs get far. */
  | { readonly move: 'turn'; readonly operator: number; readonly node: number }
  | { readonly move: 'look-policy'; readonly operator: number; readonly writes: number }
  | { readonly move: 'deliver'; readonly operator: number; readonly kind: Kind; readonly count: number }
  /** After a 410: always a consistent list. An old one makes a live Node look gone, and its slot an orphan. */
  | { readonly move: 'list'; readonly operator: number }
  | { readonly move: 'arrive'; readonly message: number; readonly again: boolean }
  | { readonly move: 'lose'; readonly message: number }
  | { readonly move: 'wait'; readonly seconds: number }
  | { readonly move: 'machine'; readonly node: number }
  | { readonly move: 'pods' }
  | { readonly move: 'person'; readonly does: Person; readonly node: number };

type Person =
  | 'cordon'
  | 'uncordon'
  | 'hold'
  | 'release'
  | 'pause'
  | 'resume'
  | 'critical'
  | 'replace'
  /** Deletes the policy, and makes one of another name for the same nodes. */
  | 'rename'
  /** Has plinthd do something with Kubernetes for a while. */
  | 'act'
  | 'abort';

const POLICIES = [POLICY, OTHER_POLICY] as const;
const KINDS: readonly Kind[] = ['node', 'nodeUpdate', 'ledger', 'rollout', 'policy', 'pod', 'budget'];
const small = fc.nat({ max: 3 });
/** The first operator hears everything soon; the others are slow, and think that they lead. */
const mostlyFirst = fc.constantFrom(0, 0, 0, 0, 0, 1);
/** Mostly an operator lives; sometimes it is killed between two writes. */
const writes = fc.oneof({ weight: 6, arbitrary: fc.constant(1000) }, { weight: 1, arbitrary: small });

const looks: fc.Arbitrary<Move> = fc.record({
  ...{ move: fc.constant('look-node' as const), operator: small, node: small, writes },
});
const arbitraryMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 10, arbitrary: looks },
  {
    weight: 25,
    arbitrary: fc.record({
      ...{ move: fc.constant('turn' as const), operator: mostlyFirst, node: small },
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ move: fc.constant('look-policy' as const), operator: small, writes }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      ...{ move: fc.constant('deliver' as const), operator: small, kind: fc.constantFrom(...KINDS) },
      count: fc.constantFrom(1, 1, 2, 3, 5, 1000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      move: fc.constant('list' as const),
      operator: small,
      ago: fc.constant(0),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ move: fc.constant('arrive' as const), message: fc.nat(20), again: rarely() }),
  },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('lose' as const), message: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      move: fc.constant('wait' as const),
      seconds: fc.constantFrom(1, 10, 70, 400, 1000),
    }),
  },
  { weight: 8, arbitrary: fc.record({ move: fc.constant('machine' as const), node: small }) },
  { weight: 4, arbitrary: fc.record({ move: fc.constant('pods' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      move: fc.constant('person' as const),
      does: fc.constantFrom<Person>(
        ...(['cordon', 'uncordon', 'hold', 'release', 'pause', 'resume'] as const),
        ...(['critical', 'replace', 'rename', 'abort', 'act'] as const),
      ),
      node: small,
    }),
  },
);

function rarely(): fc.Arbitrary<boolean> {
  return fc.nat(9).map((value) => value === 0);
}

/** moves makes runs: rounds in which everybody does something, and whatever comes between. */
export const moves: fc.Arbitrary<readonly Move[]> = fc.array(arbitraryMove, {
  ...{ maxLength: 600, size: 'max' },
});

const CHARACTERS: readonly Character[] = [
  ...(['good', 'good', 'good', 'falls-back', 'never-ready', 'never-back'] as const),
  ...(['not-upgraded', 'config-reverted'] as const),
];

export const worlds: fc.Arbitrary<World> = fc.record({
  characters: fc.array(fc.constantFrom<Character>(...CHARACTERS), {
    ...{ minLength: 2, maxLength: 4 },
  }),
  maxUnavailable: fc.constantFrom(1, 1, 2),
  skewsMs: fc.constantFrom([0], [0, 20_000], [0, -20_000]),
  machineSkewMs: fc.constantFrom(0, 30_000, -30_000),
  pods: fc.nat(3),
  budgets: fc.constantFrom(0, 1, 2),
  parts: fc.constantFrom<Parts>(
    'system',
    'system',
    'all',
    'kubernetes',
    'hot-layer',
    'config',
    'config-by-reboot',
  ),
});

/** play does one move, and shows the audit what came of it. */
export function play(simulation: Simulation, move: Move): void {
  const names = [...simulation.machines.keys()];
  const nameOf = (index: number) => names[index % names.length] ?? '';
  const operatorOf = (index: number) => index % simulation.operators.length;
  switch (move.move) {
    case 'look-node':
      simulation.look(operatorOf(move.operator), { node: nameOf(move.node) }, move.writes);
      break;
    case 'turn':
      turn(simulation, operatorOf(move.operator), nameOf(move.node));
      break;
    case 'look-policy':
      for (const policy of POLICIES) simulation.look(operatorOf(move.operator), { policy }, move.writes);
      break;
    case 'deliver':
      simulation.operators[operatorOf(move.operator)]?.cache.deliver(move.kind, move.count);
      break;
    case 'list':
      simulation.operators[operatorOf(move.operator)]?.cache.list();
      break;
    case 'arrive':
      simulation.arrive(move.message, move.again);
      break;
    case 'lose':
      simulation.lose(move.message);
      break;
    case 'wait':
      simulation.nowMs += move.seconds * 1000;
      break;
    case 'machine':
      simulation.stepMachine(nameOf(move.node));
      break;
    case 'pods':
      simulation.stepPods();
      break;
    case 'person':
      act(simulation, move.does, nameOf(move.node), move.node);
  }
  simulation.audit();
}

function act(simulation: Simulation, does: Person, name: string, index: number): void {
  const { server } = simulation;
  const [rollout] = server.objects.rollout.keys();
  const machine = simulation.machines.get(name);
  const [policy = POLICY] = server.objects.policy.keys();
  if (does === 'cordon') server.change('node', name, () => ({ isUnschedulable: true }));
  if (does === 'uncordon') server.change('node', name, () => ({ isUnschedulable: false }));
  if (does === 'hold')
    server.change('node', name, ({ labels }) => ({ labels: { ...labels, 'plinth.dev/hold': '' } }));
  if (does === 'release')
    server.change('node', name, ({ labels: { 'plinth.dev/hold': _hold, ...labels } }) => ({ labels }));
  if (does === 'pause' || does === 'resume')
    server.change('policy', policy, ({ spec }) => ({ spec: { ...spec, paused: does === 'pause' } }));
  if (does === 'critical')
    server.change('policy', policy, ({ spec }) => ({ spec: { ...spec, release: 'critical' } }));
  if (does === 'abort' && rollout)
    server.change('rollout', rollout, ({ spec }) => ({ spec: { ...spec, abort: 'Rollback' as const } }));
  if (does === 'act') machine?.beginAct(simulation.nowMs, 1 + (index % 4));
  if (does === 'rename') rename(simulation, policy);
  if (does === 'replace' && machine) {
    // The Node object goes, its NodeUpdate with it by ownership, and the machine registers anew.
    server.remove('node', name);
    server.remove('nodeUpdate', name);
    joinNode(simulation, machine, index);
    simulation.sync();
  }
}

function rename({ server }: Simulation, from: string): void {
  const before = server.objects.policy.get(from);
  if (!before) return;
  const name = from === POLICY ? OTHER_POLICY : POLICY;
  server.remove('policy', from);
  server.put('policy', name, (stamp) => ({ ...before, ...stamp, name, status: undefined }));
}

/** settle ends all faults and lets everybody do what they do, for so many rounds. @returns rounds until `isOver` */
export function settle(simulation: Simulation, rounds: number, isOver: () => boolean): number {
  simulation.operators[0]?.cache.list();
  for (let round = 0; round < rounds; round += 1) {
    if (isOver()) return round;
    for (const name of simulation.machines.keys()) turn(simulation, 0, name);
    simulation.nowMs += 10_000;
  }
  return rounds;
}

/** One operator looks at the policy and at one node with all news, its calls arrive, and the machine does its next step. */
function turn(simulation: Simulation, operator: number, name: string): void {
  const cache = simulation.operators[operator]?.cache;
  cache?.deliverAll();
  for (const policy of POLICIES) simulation.look(operator, { policy }, Number.POSITIVE_INFINITY);
  cache?.deliverAll();
  simulation.look(operator, { node: name }, Number.POSITIVE_INFINITY);
  cache?.deliverAll();
  for (let message = 0; message < 20; message += 1) simulation.arrive(0, false);
  simulation.stepMachine(name);
  simulation.stepPods();
  simulation.audit();
}
