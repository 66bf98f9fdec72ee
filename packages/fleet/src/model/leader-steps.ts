import {
  type Bounds,
  type Leader,
  type Ledger,
  type Machine,
  newLeader,
  type Permission,
  type Phase,
  type Shown,
  type State,
  type Update,
} from './abstract.ts';
import { namesOf } from './canonical.ts';
import {
  known,
  leaderOf,
  type Next,
  send,
  withLeader,
  withLedger,
  withMachine,
  withNode,
  withUpdate,
} from './change.ts';
import { named, ownName, placeSteps, replaceSteps } from './place-steps.ts';

const RELEASED: readonly Phase[] = ['Staged', 'Done', 'Quarantined'];

/** leaderSteps are those of one operator: it hears of something, gives slots, or goes on with a node. */
export function* leaderSteps(state: State, index: number, leader: Leader, bounds: Bounds): Generator<Next> {
  if (state.crashes > 0)
    yield ['crashes', { ...withLeader(state, index, newLeader(bounds.nodes)), crashes: state.crashes - 1 }];
  if (leader.next) {
    yield* carryOn(state, index, leader, leader.next, bounds);
    return;
  }
  if (leader.ledger !== 'now')
    yield ['hears of the ledger', withLeader(state, index, { ...leader, ledger: 'now' })];
  for (let node = 0; node < bounds.nodes; node += 1) {
    if (leader.updates[node] !== 'now')
      yield [
        `hears of NodeUpdate ${node}`,
        withLeader(state, index, { ...leader, updates: leader.updates.with(node, 'now') }),
      ];
    if (leader.nodes[node] !== 'now')
      yield [
        `hears of Node ${node}`,
        withLeader(state, index, { ...leader, nodes: leader.nodes.with(node, 'now') }),
      ];
    yield* policySteps(state, leader, node, bounds);
    yield* nodeSteps(state, index, leader, node, bounds);
  }
}

/** Slots: given and taken back by compare-and-swap of the ledger, on whatever is known of nodes. */
function* policySteps(state: State, leader: Leader, node: number, bounds: Bounds): Generator<Next> {
  const update = known(leader.updates[node], state.updates[node]);
  const ledger = known(leader.ledger, state.ledger) ?? state.ledger;
  const isCurrent = leader.ledger === 'now' || bounds.mutant === 'no-ledger';
  if (!update || !isCurrent) return;
  const name = ledger.names[node] ?? 0;
  const used = ledger.names.filter((each) => each !== 0).length;
  if (name === 0 && update.phase === 'Staged' && used < bounds.slots && state.isWindowOpen)
    yield [`gives node ${node} a slot`, withLedger(state, named(state.ledger, node, newName(state, node)))];
  const mark = ledger.marks[node] ?? -1;
  const isOfNode = mark < 0 || update.uid <= mark;
  if (name !== 0 && isOfNode && update.admitted === name && RELEASED.includes(update.phase))
    yield [`takes the slot of node ${node} back`, withLedger(state, named(state.ledger, node, 0))];
  if (name !== 0 && bounds.isReplaced) yield* placeSteps(state, leader, node, update, ledger, bounds);
}

/** Later than every one before, as the ledger's last moment makes sure of. */
function newName(state: State, node: number): number {
  return Math.max(...namesOf(state, node)) + 1;
}

/** One node: what decideNode does in each phase. All writes of a NodeUpdate fail on one that changed. */
function* nodeSteps(
  state: State,
  index: number,
  leader: Leader,
  node: number,
  bounds: Bounds,
): Generator<Next> {
  const update = known(leader.updates[node], state.updates[node]);
  const shown = known(leader.nodes[node], state.nodes[node]);
  const machine = state.machines[node];
  // Of a Node that is no more, or that is not seen yet, nothing is decided.
  if (!update || !shown || !machine || update.uid !== shown.uid || shown.isGone) return;
  const name = ownName(known<Ledger>(leader.ledger, state.ledger), shown, node);
  const write = (change: Partial<Update>): State | undefined =>
    leader.updates[node] === 'now' ? withUpdate(state, node, change) : undefined;
  const begin = (does: NonNullable<Leader['next']>['does']): State | undefined =>
    leader.updates[node] === 'now' || bounds.mutant === 'no-fence'
      ? withLeader(state, index, { ...leader, next: { does, node } })
      : undefined;
  // The write of a phase that waits for nothing is the fence of what it does; the phase is met again only by who comes after a crash.
  const onward = (does: NonNullable<Leader['next']>['does'], written: State | undefined) =>
    written &&
    withLeader(written, index, {
      ...leaderOf(written, index),
      ...{ updates: leaderOf(written, index).updates.with(node, 'now'), next: { does, node } },
    });
  const permission = state.permissions[update.permission - 1];
  const hasRebooted = permission !== undefined && shown.boot !== permission.boot;
  const isHeard = !machine.isDown && machine.starting === '' && shown.boot === machine.boot;
  const unused =
    permission !== undefined &&
    machine.boot === permission.boot &&
    isHeard &&
    (permission.isOver || bounds.mutant === 'yields-early');
  const steps: [string, State | undefined][] = [];
  // A leader that did not hear yet gave it a slot it does not need.
  const declines: [string, State | undefined][] =
    name > update.admitted ? [[`declines the slot on ${node}`, write({ admitted: name })]] : [];
  switch (update.phase) {
    case 'Staged':
      if (name > update.admitted)
        steps.push([
          `takes slot up on ${node}`,
          onward('taint', write({ phase: 'Tainting', admitted: name, permission: 0, isKept: false })),
        ]);
      break;
    case 'Done':
      steps.push(...declines);
      if (state.isUrgentWanted && !update.isUrgent)
        steps.push([`queues ${node} again`, write({ phase: 'Staged', isUrgent: true, starts: 0 })]);
      break;
    case 'Tainting':
      steps.push([`fence, then taint ${node}`, begin('taint')]);
      break;
    case 'Draining': {
      const isDue = bounds.isKubernetes && !update.isUrgent && machine.kubernetes === 'old';
      steps.push([`gives up ${node}`, write({ phase: 'Yielding' })]);
      if (isDue && isHeard)
        steps.push([
          `begins the upgrade of ${node}`,
          write({ phase: 'Upgrading', actBefore: machine.lastAct }),
        ]);
      if (state.isUrgentWanted && !update.isUrgent)
        steps.push([`swaps target of ${node}`, write({ isUrgent: true })]);
      if (bounds.isReplaced) {
        if (shown.isTainted) steps.push([`is to have ${node} replaced`, write({ phase: 'Replacing' })]);
        break;
      }
      const isActing = machine.act === 'running';
      if (isActing && bounds.mutant !== 'permits-in-act') break;
      if (
        shown.isTainted &&
        isHeard &&
        update.starts === 0 &&
        (!isDue || bounds.mutant === 'permits-early')
      ) {
        const proven = proveTaint(state, index, leader, node);
        const broken = `S9: node ${node} is permitted to start though it said that plinthd is at an act`;
        steps.push([`proves the taint of ${node}`, proven && isActing ? { ...proven, broken } : proven]);
      }
      break;
    }
    case 'Upgrading':
      steps.push(...upgradeSteps(state, node, update, machine, isHeard, write));
      break;
    case 'Replacing':
      steps.push(...replaceSteps(state, leader, node, update, bounds, { write, begin }));
      break;
    case 'Authorized':
      if (hasRebooted) steps.push([`sees new boot of ${node}`, write({ phase: 'Verifying' })]);
      else if (unused) steps.push([`sees ${node} did not start`, write({ phase: 'Yielding' })]);
      if (machine.message === 0)
        steps.push([`sends permission to ${node}`, send(state, node, update.permission)]);
      break;
    case 'Verifying':
      if (isHeard && machine.system !== 'old' && hasRebooted) {
        steps.push([`finds ${node} well`, onward('untaint', write({ phase: 'Untainting' }))]);
        if (update.starts < 2) steps.push([`finds ${node} unwell`, proveTaint(state, index, leader, node)]);
      } else if (isHeard && hasRebooted)
        steps.push([`finds ${node} fell back`, write({ phase: 'RollingBack', permission: 0 })]);
      break;
    case 'RollingBack':
      if (permission !== undefined && !hasRebooted) {
        if (machine.message === 0)
          steps.push([`sends way back to ${node}`, send(state, node, update.permission)]);
        if (unused)
          steps.push([`gives up the way back of ${node}`, write({ permission: 0, phase: 'Untainting' })]);
      } else if (isHeard && machine.act !== 'running')
        steps.push([`sees ${node} back`, onward('untaint', write({ phase: 'Untainting' }))]);
      break;
    case 'Yielding':
      if (hasRebooted) steps.push([`sees ${node} did start`, write({ phase: 'Verifying' })]);
      else if (permission === undefined || unused)
        steps.push([`fence, then untaint ${node}`, begin('untaint')]);
      break;
    case 'Untainting':
      steps.push([`fence, then untaint ${node}`, begin('untaint')]);
      break;
    case 'Quarantined':
      steps.push(...declines);
      break;
  }
  for (const [label, next] of steps) if (next) yield [label, next];
}

/** Kubernetes is switched by plinthd, and seen in what plinthd says. It may have been called already by who led before. */
function* upgradeSteps(
  state: State,
  node: number,
  update: Update,
  machine: Machine,
  isHeard: boolean,
  write: (change: Partial<Update>) => State | undefined,
): Generator<[string, State | undefined]> {
  const isRunning = machine.act === 'running';
  const isOurs = machine.lastAct !== update.actBefore;
  if (!machine.isCalled && !isOurs)
    yield [`calls ${node} to switch Kubernetes`, withMachine(state, node, { isCalled: true })];
  if (!isHeard) return;
  if (machine.kubernetes === 'new') yield [`sees Kubernetes of ${node}`, write({ phase: 'Draining' })];
  if (isOurs && machine.act === 'failed')
    yield [`sees that ${node} took it back`, write({ phase: 'RollingBack', permission: 0 })];
  if (!isRunning) yield [`gives up ${node}`, write({ phase: 'Yielding' })];
  yield [`waits no longer for ${node}`, write({ phase: 'RollingBack', permission: 0 })];
}

/** The rest of a decision of several writes; each can fail, and then the decision is over. */
function* carryOn(
  state: State,
  index: number,
  leader: Leader,
  { does, node }: NonNullable<Leader['next']>,
  bounds: Bounds,
): Generator<Next> {
  const over = withLeader(state, index, { ...leader, next: undefined });
  const isNodeCurrent = leader.nodes[node] === 'now';
  const update = state.updates[node];
  if (does === 'taint' || does === 'untaint') {
    if (!isNodeCurrent) return yield [`${does}s ${node}: refused`, over];
    const isTainted = does === 'taint';
    const cordon = bounds.mutant === 'cordon-bit' ? { isCordoned: isTainted } : {};
    const done = withNode(over, node, { isTainted, ...cordon });
    const then = (next: NonNullable<Leader['next']>['does']) =>
      withLeader(done, index, { ...leaderOf(done, index), next: { does: next, node } });
    if (!isTainted) return yield [`untaints ${node}`, then('release')];
    yield [`taints ${node}, to empty it`, then('drain')];
    return yield [`taints ${node}, to give it up`, then('give-up')];
  }
  if (does === 'delete') {
    const meant = known<Shown>(leader.nodes[node], state.nodes[node]);
    // Of that Machine and no other, whatever has become of the Node.
    const isIt = meant?.uid === state.nodes[node]?.uid && state.nodes[node]?.isGone === false;
    return yield isIt
      ? [`deletes the Machine of ${node}`, withMachine(over, node, { isLeaving: true })]
      : [`deletes the Machine of ${node}: refused`, over];
  }
  if (leader.updates[node] !== 'now' || !update) return yield [`${does}s ${node}: refused`, over];
  if (does === 'drain' || does === 'give-up')
    return yield [
      `${does}s ${node}`,
      withUpdate(over, node, { phase: does === 'drain' ? 'Draining' : 'Yielding' }),
    ];
  if (does === 'release') {
    const machine = state.machines[node];
    const isBack = machine?.system === 'old' && update.phase === 'Untainting';
    const phase = update.phase === 'Yielding' ? 'Staged' : isBack ? 'Quarantined' : 'Done';
    return yield [
      `releases ${node}`,
      withUpdate(over, node, { phase, permission: 0, ...(phase === 'Staged' && { starts: 0 }) }),
    ];
  }
  const isBack = update.phase === 'Verifying';
  const permission: Permission = {
    ...{ node, boot: state.nodes[node]?.boot ?? 0, isBack, isOver: false, isUsed: false },
  };
  return yield [
    `permits ${node} to start`,
    withUpdate({ ...over, permissions: [...over.permissions, permission] }, node, {
      phase: isBack ? 'RollingBack' : 'Authorized',
      permission: state.permissions.length + 1,
      starts: update.starts + 1,
    }),
  ];
}

/** The taint is written once more before a permission: it changes nothing, and fails on a Node that changed. */
function proveTaint(state: State, index: number, leader: Leader, node: number): State | undefined {
  if (leader.nodes[node] !== 'now') return undefined;
  return withLeader(state, index, { ...leader, next: { does: 'permit', node } });
}
