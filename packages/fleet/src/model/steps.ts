import type { Bounds, State } from './abstract.ts';
import { type Next, withPermission } from './change.ts';
import { leaderSteps } from './leader-steps.ts';
import { machineSteps } from './machine-steps.ts';

/** nextStates gives every step that anybody can take. */
export function nextStates(state: State, bounds: Bounds): Next[] {
  const steps: Next[] = [];
  for (const [index, leader] of state.leaders.entries())
    for (const [label, next] of leaderSteps(state, index, leader, bounds))
      steps.push([`leader ${index}: ${label}`, next]);
  for (const [index, machine] of state.machines.entries())
    for (const [label, next] of machineSteps(state, index, machine, bounds))
      steps.push([`node ${index}: ${label}`, next]);
  if (state.windows > 0)
    steps.push([
      `window ${state.isWindowOpen ? 'closes' : 'opens'}`,
      { ...state, isWindowOpen: !state.isWindowOpen, windows: state.windows - 1 },
    ]);
  if (bounds.isUrgent && !state.isUrgentWanted)
    steps.push(['an urgent release is named', { ...state, isUrgentWanted: true }]);
  for (const [index, permission] of state.permissions.entries())
    if (!permission.isOver)
      steps.push([`permission ${index + 1} is over`, withPermission(state, index + 1, { isOver: true })]);
  return steps;
}
