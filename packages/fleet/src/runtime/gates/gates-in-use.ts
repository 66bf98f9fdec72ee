import { isEnded } from '../../decide/rollout/wanted.ts';
import type { FleetView } from '../../view/view.ts';

/**
 * gatesInUse are the gates that policies name; of those that are Jobs, the ones of policies with a rollout under way: they cost more than a
 * question, and nobody waits for their answer otherwise. Pure.
 */
export function gatesInUse(
  policies: FleetView['policies'],
  rollouts: FleetView['rollouts'],
  gates: FleetView['gates'],
): ReadonlySet<string> {
  const running = new Set(
    [...rollouts.values()].filter((rollout) => !isEnded(rollout)).map(({ spec }) => spec.policy),
  );
  return new Set(
    [...policies.values()].flatMap(({ name, spec }) =>
      spec.gates.filter((gate) => gates.get(gate)?.spec.job === undefined || running.has(name)),
    ),
  );
}
