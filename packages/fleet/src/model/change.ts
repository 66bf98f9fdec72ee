import {
  type Known,
  type Leader,
  type Ledger,
  type Machine,
  newLeader,
  type Permission,
  type Shown,
  type State,
  type Update,
} from './abstract.ts';

// Changes of a state. Whoever knew an object as it was knows, after a change, what it was.

/** A step that can be taken, and what comes of it. */
export type Next = readonly [label: string, state: State];

export function send(state: State, node: number, message: number): State {
  return withMachine(state, node, { message });
}

export function known<Value>(value: Known<Value> | undefined, now: Value | undefined): Value | undefined {
  return value === 'now' ? now : value;
}

export function leaderOf(state: State, index: number): Leader {
  return state.leaders[index] ?? newLeader(state.nodes.length);
}

export function withLeader(state: State, index: number, leader: Leader): State {
  return { ...state, leaders: state.leaders.with(index, leader) };
}

export function withMachine(state: State, node: number, change: Partial<Machine>): State {
  const machine = state.machines[node];
  return machine ? { ...state, machines: state.machines.with(node, { ...machine, ...change }) } : state;
}

export function withPermission(state: State, number: number, change: Partial<Permission>): State {
  const permission = state.permissions[number - 1];
  if (!permission) return state;
  return { ...state, permissions: state.permissions.with(number - 1, { ...permission, ...change }) };
}

/** A change of a NodeUpdate: whoever knew it knows what it was. Who wrote it is told by the answer. */
export function withUpdate(state: State, node: number, change: Partial<Update>): State {
  const old = state.updates[node];
  if (!old) return state;
  const leaders = state.leaders.map((leader) =>
    leader.updates[node] === 'now' ? { ...leader, updates: leader.updates.with(node, old) } : leader,
  );
  return { ...state, leaders, updates: state.updates.with(node, { ...old, ...change }) };
}

export function withNode(state: State, node: number, change: Partial<Shown>): State {
  const old = state.nodes[node];
  if (!old || Object.entries(change).every(([key, value]) => old[key as keyof Shown] === value)) return state;
  const leaders = state.leaders.map((leader) =>
    leader.nodes[node] === 'now' ? { ...leader, nodes: leader.nodes.with(node, old) } : leader,
  );
  return { ...state, leaders, nodes: state.nodes.with(node, { ...old, ...change }) };
}

export function withLedger(state: State, ledger: Ledger): State {
  const leaders = state.leaders.map((leader) =>
    leader.ledger === 'now' ? { ...leader, ledger: state.ledger } : leader,
  );
  return { ...state, leaders, ledger };
}
