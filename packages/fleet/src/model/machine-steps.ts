import type { Bounds, Machine, State } from './abstract.ts';
import { type Next, withMachine, withNode, withPermission } from './change.ts';

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
  if (state.people > 0)
    yield [
      'is cordoned by a person',
      withNode(
        { ...withMachine(state, node, { isHeld: true }), people: state.people - 1 },
        ...([node, { isCordoned: true }] as const),
      ),
    ];
}

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
