import type { Ledger, Permission, State, Update } from './abstract.ts';

/** namesOf lists the names of slots of a node that stand anywhere, in what is and in what anybody still knows. */
export function namesOf(state: State, node: number): readonly number[] {
  const found = [state.ledger.names[node] ?? 0, state.updates[node]?.admitted ?? 0];
  for (const { updates, ledger } of state.leaders) {
    const update = updates[node];
    if (update !== undefined && update !== 'now') found.push(update.admitted);
    if (ledger !== 'now') found.push(ledger.names[node] ?? 0);
  }
  return found;
}

/**
 * canonical numbers slots and permissions anew, and forgets permissions that stand nowhere any more: states that differ only
 * in such numbers are one state, so there are finitely many.
 */
export function canonical(state: State): State {
  const names = state.ledger.names.map((_name, node) =>
    numbering(namesOf(state, node).toSorted((a, b) => a - b)),
  );
  const numbers = numbering([
    ...state.updates.map(({ permission }) => permission),
    ...state.leaders.flatMap(({ updates }) =>
      updates.flatMap((update) => (update === 'now' ? [] : [update.permission])),
    ),
    ...state.machines.map(({ message }) => message),
  ]);
  const rename = (update: Update, node: number): Update => ({
    ...update,
    admitted: names[node]?.get(update.admitted) ?? 0,
    permission: numbers.get(update.permission) ?? 0,
  });
  const permissions: Permission[] = [];
  for (const [old, now] of numbers) {
    const permission = state.permissions[old - 1];
    if (permission) permissions[now - 1] = permission;
  }
  const inLedger = (ledger: Ledger): Ledger => ({
    ...ledger,
    names: ledger.names.map((name, node) => names[node]?.get(name) ?? 0),
  });
  return {
    ...state,
    permissions,
    ledger: inLedger(state.ledger),
    updates: state.updates.map(rename),
    machines: state.machines.map((machine) => ({ ...machine, message: numbers.get(machine.message) ?? 0 })),
    leaders: state.leaders.map((leader) => ({
      ...leader,
      updates: leader.updates.map((update, node) => (update === 'now' ? update : rename(update, node))),
      ledger: leader.ledger === 'now' ? leader.ledger : inLedger(leader.ledger),
    })),
  };
}

/** Numbers what is found in order, from 1; 0 stays 0. */
function numbering(found: readonly number[]): ReadonlyMap<number, number> {
  const numbers = new Map<number, number>();
  for (const each of found) if (each !== 0 && !numbers.has(each)) numbers.set(each, numbers.size + 1);
  return numbers;
}

/** keyOf is a short text that two states share only when they are the same. */
export function keyOf(state: State): string {
  const update = ({ phase, admitted, permission, isUrgent, starts, actBefore, uid, isKept }: Update) =>
    `${phase.slice(0, 3)}${admitted}${permission}${starts}${actBefore}${isUrgent ? 'u' : ''}${uid}${isKept ? 'k' : ''}`;
  const shown = ({ isTainted, isCordoned, boot, uid, isGone }: State['nodes'][number]) =>
    `${boot}${isTainted ? 't' : ''}${isCordoned ? 'c' : ''}${isGone ? 'g' : ''}${uid}`;
  const inLedger = ({ names, marks, counted, last }: Ledger) =>
    `${names.join('')}${marks.map((mark) => (mark < 0 ? '-' : mark)).join('')}.${counted.join('')}.${last}`;
  return [
    state.updates.map(update).join(','),
    state.nodes.map(shown).join(','),
    state.machines
      .map(
        ({
          boot,
          system,
          isDown,
          starting,
          message,
          isHeld,
          kubernetes,
          act,
          lastAct,
          isCalled,
          isLeaving,
        }) =>
          `${boot}${system[0]}${isDown ? 'd' : ''}${starting.slice(0, 2)}${message}${isHeld ? 'h' : ''}` +
          `${kubernetes[0]}${act[0] ?? ''}${lastAct}${isCalled ? 'c' : ''}${isLeaving ? 'l' : ''}`,
      )
      .join(','),
    inLedger(state.ledger),
    state.permissions
      .map(
        ({ node, boot, isBack, isOver, isUsed }) =>
          `${node}${boot}${isBack ? 'b' : ''}${isOver ? 'o' : ''}${isUsed ? 'u' : ''}`,
      )
      .join(','),
    state.leaders
      .map(
        ({ updates, nodes, ledger, next }) =>
          `${updates.map((each) => (each === 'now' ? '' : update(each))).join(',')};${nodes
            .map((each) => (each === 'now' ? '' : shown(each)))
            .join(
              ',',
            )};${ledger === 'now' ? '' : inLedger(ledger)};${next ? `${next.does}${next.node}` : ''}`,
      )
      .join('/'),
    `${state.isUrgentWanted}${state.isWindowOpen}${state.crashes}${state.people}${state.windows}${state.made}${state.broken}`,
  ].join('|');
}
