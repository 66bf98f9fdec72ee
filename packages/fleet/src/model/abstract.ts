// The protocol of slots, permissions and taints, cut down to what its safety hangs on: phases without their waiting, time
// only as "this permission is over", nodes only as what boots. What is left is small enough to look at every order of steps.

/** Phases of the abstraction. Waiting phases that change nothing for others are left out. */
export type Phase =
  | 'Staged'
  | 'Tainting'
  | 'Draining'
  | 'Upgrading'
  | 'Replacing'
  | 'Authorized'
  | 'Verifying'
  | 'Untainting'
  | 'Done'
  | 'Yielding'
  | 'RollingBack'
  | 'Quarantined'
  /** There is none: its Node is gone. */
  | 'Gone';

/** What stands in a NodeUpdate. */
export interface Update {
  readonly phase: Phase;
  /** Name of the slot that was taken up last; 0: none. */
  readonly admitted: number;
  /** Number of the permission that stands in it; 0: none. */
  readonly permission: number;
  readonly isUrgent: boolean;
  readonly starts: number;
  /** What plinthd had done of Kubernetes at last when it was to be switched: what differs from it is of this upgrade. */
  readonly actBefore: 0 | 1;
  /** The Node it is of. */
  readonly uid: number;
  /** Its slot is known to outlive its Node: from here on there is no way back. */
  readonly isKept: boolean;
}

/** What stands in a Node. */
export interface Shown {
  readonly isTainted: boolean;
  readonly isCordoned: boolean;
  readonly boot: number;
  /** Which of the Nodes that were ever made stands here, by when it was made; 0: one of the first. */
  readonly uid: number;
  readonly isGone: boolean;
}

/** What stands in the ledger. */
export interface Ledger {
  /** Name of each node's slot; 0: none. */
  readonly names: readonly number[];
  /** Of a slot that outlives its Node, the youngest Node that was known when it was marked; -1: it does not. */
  readonly marks: readonly number[];
  /** Nodes that came and stand for a slot that ended. */
  readonly counted: readonly number[];
  /** The youngest Node that ever stood for a slot. */
  readonly last: number;
}

/** What an operator knows of an object: what it is now, or what it was. A write on what it was fails. */
export type Known<Value> = 'now' | Value;

export interface Leader {
  readonly updates: readonly Known<Update>[];
  readonly nodes: readonly Known<Shown>[];
  readonly ledger: Known<Ledger>;
  /** A decision of several writes that is being carried out: what comes next. Nothing is read meanwhile. */
  readonly next:
    | {
        readonly does: 'taint' | 'drain' | 'give-up' | 'untaint' | 'release' | 'permit' | 'delete';
        readonly node: number;
      }
    | undefined;
}

/** A machine, as nobody sees it. */
export interface Machine {
  readonly boot: number;
  readonly system: 'old' | 'new' | 'urgent';
  readonly isDown: boolean;
  /** What it starts next, and whether by a permission. */
  readonly starting: '' | 'forward' | 'back' | 'fall-back';
  /** Permission in a message that is under way, or comes again; 0: none. */
  readonly message: number;
  readonly kubernetes: 'old' | 'new';
  /** What plinthd does of Kubernetes, or what came of it; "": nothing, or it was good. */
  readonly act: '' | 'running' | 'failed';
  /** Changes with each act. Two are told apart, which is as many as can come between two looks at one. */
  readonly lastAct: 0 | 1;
  /** The call to switch Kubernetes is under way, or comes again. */
  readonly isCalled: boolean;
  /** Its provider was told to replace it. */
  readonly isLeaving: boolean;
  /** A person cordoned it and did not take that back. */
  readonly isHeld: boolean;
}

/** A permission that was given. */
export interface Permission {
  readonly node: number;
  readonly boot: number;
  readonly isBack: boolean;
  readonly isOver: boolean;
  readonly isUsed: boolean;
}

export interface State {
  readonly updates: readonly Update[];
  readonly nodes: readonly Shown[];
  readonly machines: readonly Machine[];
  readonly ledger: Ledger;
  /** Nodes that were made in the place of others. */
  readonly made: number;
  readonly permissions: readonly Permission[];
  readonly leaders: readonly Leader[];
  readonly isUrgentWanted: boolean;
  readonly isWindowOpen: boolean;
  /** What may still happen: crashes, people, windows. */
  readonly crashes: number;
  readonly people: number;
  readonly windows: number;
  /** Set by a step that breaks a rule which the state alone does not show. */
  readonly broken: string;
}

/** How large a model is, and which rule is left out of it. */
export interface Bounds {
  readonly nodes: number;
  readonly slots: number;
  readonly leaders: number;
  readonly crashes: number;
  readonly people: number;
  readonly windows: number;
  readonly isUrgent: boolean;
  /** The release brings Kubernetes as well; the urgent one never does. */
  readonly isKubernetes: boolean;
  /** Nodes are replaced by their provider, and never started. */
  readonly isReplaced: boolean;
  readonly mutant: ModelMutant;
}

export type ModelMutant =
  | 'none'
  | 'no-ledger'
  | 'flag'
  | 'cordon-bit'
  | 'no-fence'
  | 'yields-early'
  | 'permits-early'
  | 'starts-in-switch'
  | 'permits-in-act'
  | 'ends-with-node'
  | 'counts-twice'
  | 'deletes-unmarked'
  | 'gives-up-late';

/** begin is a cluster whose nodes all have the release staged, and operators that know everything. */
export function begin({ nodes, leaders, crashes, people, windows }: Bounds): State {
  const each = <Value>(value: Value): readonly Value[] => Array.from({ length: nodes }, () => value);
  return {
    updates: each({
      ...({ phase: 'Staged', admitted: 0, permission: 0, isUrgent: false, starts: 0 } as const),
      ...({ actBefore: 0, uid: 0, isKept: false } as const),
    }),
    nodes: each({ isTainted: false, isCordoned: false, boot: 1, uid: 0, isGone: false }),
    machines: each({
      ...({ boot: 1, system: 'old', isDown: false, starting: '', message: 0, isHeld: false } as const),
      ...({ kubernetes: 'old', act: '', lastAct: 0, isCalled: false, isLeaving: false } as const),
    }),
    ...{
      ledger: { names: each(0), marks: each(-1), counted: [], last: 0 },
      made: 0,
      permissions: [],
      isUrgentWanted: false,
      isWindowOpen: true,
    },
    leaders: Array.from({ length: leaders }, () => newLeader(nodes)),
    ...{ crashes, people, windows, broken: '' },
  };
}

/** newLeader knows everything as it is now: it lists before it decides. */
export function newLeader(nodes: number): Leader {
  const all: readonly 'now'[] = Array.from({ length: nodes }, () => 'now');
  return { updates: all, nodes: all, ledger: 'now', next: undefined };
}

/** broken says which rule a state breaks; "": none. */
export function brokenRule(state: State, { slots, isKubernetes }: Bounds): string {
  if (state.broken !== '') return state.broken;
  const away = state.nodes.filter(
    ({ isTainted, isGone }, index) => isGone || isTainted || isAway(state.machines[index]),
  ).length;
  if (away > slots) return `S1: ${away} nodes away, ${slots} may be`;
  const gone = state.nodes.filter(({ isGone }) => isGone).length;
  if (gone > state.ledger.marks.filter((mark) => mark >= 0).length)
    return 'S14: a slot ended with its Node, and none came in its place';
  if (state.ledger.names.filter((name) => name !== 0).length > slots)
    return 'S13: more slots given than there are';
  for (const [index, node] of state.nodes.entries()) {
    const machine = state.machines[index];
    if (node.isTainted && state.ledger.names[index] === 0) return `S4: node ${index} tainted without a slot`;
    if (isAway(machine) && !node.isTainted) return `S5: node ${index} starts while it takes pods`;
    if (isAway(machine) && machine?.act === 'running')
      return `S9: node ${index} starts while plinthd switches Kubernetes`;
    if (isKubernetes && machine?.kubernetes === 'old' && mayGoForward(state, index))
      return `S9: node ${index} may start, and Kubernetes of its release is not there`;
    if (machine?.isHeld && !node.isCordoned) return `S7: the cordon of a person on node ${index} is gone`;
  }
  return '';
}

/** A permission is good for minutes, and Kubernetes takes longer: it is there first. */
function mayGoForward({ updates, permissions }: State, index: number): boolean {
  const update = updates[index];
  const permission = permissions[(update?.permission ?? 0) - 1];
  return update?.isUrgent === false && permission !== undefined && !permission.isBack && !permission.isOver;
}

function isAway(machine: Machine | undefined): boolean {
  return machine !== undefined && (machine.isDown || machine.starting !== '');
}

/** isFinished says that nothing is left to do: every node at an end, no slot, no taint. */
export function isFinished({ updates, nodes, ledger }: State): boolean {
  return (
    updates.every(({ phase }) => phase === 'Done' || phase === 'Quarantined') &&
    nodes.every(({ isTainted }) => !isTainted) &&
    ledger.names.every((name) => name === 0)
  );
}
