import type { Bounds, Machine, State, Update } from './abstract.ts';
import { type Next, withMachine, withNode, withPermission, withUpdate } from './change.ts';

/** machineSteps are those of one machine and of people at it. */
export function* machineSteps(state: State, node: number, machine: Machine, bounds: Bounds): Generator<Next> {
  const set = (change: Partial<Machine>) => withMachine(state, node, change);
  if (machine.message !== 0) {
    yield ['the message is lost', set({ message: 0 })];
    if (!machine.isDown && machine.starting === '') yield* receive(state, node, machine, bounds);
  }
  if (machine.isCalled) {
    yield ['the call is lost', set({ isCalled: false })];
    const isIdle = !machine.isDown && machine.starting === '' && machine.act !== 'running';
    if (isIdle && machine.kubernetes === 'old')
      yield ['begins to switch Kubernetes', set({ act: 'running', lastAct: machine.lastAct === 0 ? 1 : 0 })];
  }
  if (machine.act === 'running') {
    yield ['has switched Kubernetes', set({ act: '', kubernetes: 'new' })];
    yield ['takes Kubernetes back', set({ act: 'failed' })];
  }
  if (machine.starting !== '') {
    const isForward = machine.starting === 'forward';
    const isUrgent = state.updates[node]?.isUrgent === true;
    const system = isForward ? (isUrgent ? 'urgent' : 'new') : 'old';
    yield ['goes down', set({ starting: '', isDown: true, boot: machine.boot + 1, system })];
  }
  if (machine.isDown) {
    const up = set({ isDown: false });
    yield ['comes up', withNode(up, node, { boot: machine.boot })];
    // The boot loader tries a new system once.
    if (machine.system !== 'old')
      yield ['falls back by itself', set({ isDown: true, boot: machine.boot + 1, system: 'old' })];
  }
  if (bounds.isReplaced) yield* providerSteps(state, node, machine);
  if (state.people > 0)
    yield [
      'is cordoned by a person',
      withNode(
        { ...withMachine(state, node, { isHeld: true }), people: state.people - 1 },
        ...([node, { isCordoned: true }] as const),
      ),
    ];
}

/** A Machine that was deleted takes its Node along, and another comes, with the release or with another one. */
function* providerSteps(state: State, node: number, machine: Machine): Generator<Next> {
  const shown = state.nodes[node];
  const update = state.updates[node];
  if (!shown || !update) return;
  if (machine.isLeaving) {
    const left = withMachine(state, node, { isLeaving: false, isHeld: false });
    const gone = withNode(left, node, { isGone: true, isTainted: false, isCordoned: false });
    yield ['its Node is gone', withUpdate(gone, node, GONE)];
  }
  // Whose place it takes does not matter: the first that is free.
  if (!shown.isGone || state.nodes.findIndex(({ isGone }) => isGone) !== node) return;
  const uid = state.made + 1;
  for (const [with_, system, phase] of [
    ['the release', 'new', 'Done'],
    ['another release', 'old', 'Quarantined'],
  ] as const) {
    const made = { ...withMachine(state, node, { system, boot: machine.boot + 1 }), made: uid };
    const come = withNode(made, node, { uid, isGone: false, boot: machine.boot + 1 });
    yield [`another Node comes with ${with_}`, withUpdate(come, node, { ...GONE, phase, uid })];
  }
}

const GONE: Update = {
  ...{ phase: 'Gone', admitted: 0, permission: 0, isUrgent: false, starts: 0, actBefore: 0, uid: 0 },
  isKept: false,
};

/** plinthd takes a permission of its own boot that is not over. The message may come again. */
function* receive(state: State, node: number, machine: Machine, { mutant }: Bounds): Generator<Next> {
  const permission = state.permissions[machine.message - 1];
  if (!permission) return;
  // plinthd does one thing at a time (machine/busy).
  if (machine.act === 'running' && mutant !== 'starts-in-switch') return;
  const isGood = permission.boot === machine.boot && !permission.isOver;
  if (!isGood && mutant !== 'flag') return;
  const broken = permission.isUsed ? `S6: node ${node} used a permission twice` : '';
  const used = withPermission(state, machine.message, { isUsed: true });
  yield [
    'takes the permission',
    { ...withMachine(used, node, { starting: permission.isBack ? 'back' : 'forward' }), broken },
  ];
}
